"""What a request asks for, as a key: equal for requests of equal meaning. The door is `key.Meaning`.

==============  ===================================================================
address         one spelling of a URL, a query, a form (RFC 3986, WHATWG URL)
canonical_json  one spelling of a JSON document (RFC 8259; numbers as RFC 8785 compares them)
json_path       what is left out of a body (RFC 9535, a subset)
json_rpc        what numbers or traces a message (JSON-RPC 2.0, Model Context Protocol)
tool_call_ids   where a model call has ids that its client may have made (provider references)
incidental      which requests are a library's own (telemetry, lists) and belong to no run
token_requests  which requests ask for a token to make others with (RFC 6749)
==============  ===================================================================
"""

__all__ = "address", "incidental", "json_path", "json_rpc", "key", "token_requests"
