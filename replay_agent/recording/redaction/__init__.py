"""Keeps secrets out of what is written. The door is `redactor.Redactor`."""
