"""What recorded traffic says: calls and answers decoded, joined to conversations, as text, with their cost."""

__all__ = "answers", "conversations", "cost", "lines", "offers", "plain", "text", "transcript", "view", "volatile"
