"""What recorded traffic says: calls and answers decoded, joined to conversations, as text, with their cost."""
