"""The messages of a run, as its results offer them."""

from __future__ import annotations

from abc import ABC, abstractmethod

from replay_agent.messages import ModelMessage, ModelMessagesTypeAdapter

__all__ = ("RunHistory",)


class RunHistory(ABC):
    """Something that knows the messages of a run.

    ``result_tool_return_content`` stands in for what the model was told after it called the result tool, in a copy of
    the messages.
    """

    _new_message_index: int

    @abstractmethod
    def all_messages(self, *, result_tool_return_content: str | None = None) -> list[ModelMessage]:
        """Return the whole conversation, the given history included."""

    def new_messages(self, *, result_tool_return_content: str | None = None) -> list[ModelMessage]:
        """Return the messages of this run alone."""
        messages = self.all_messages(result_tool_return_content=result_tool_return_content)
        return messages[self._new_message_index :]

    def all_messages_json(self, *, result_tool_return_content: str | None = None) -> bytes:
        """Return `all_messages` as JSON, which `ModelMessagesTypeAdapter` reads."""
        return ModelMessagesTypeAdapter.dump_json(
            self.all_messages(result_tool_return_content=result_tool_return_content)
        )

    def new_messages_json(self, *, result_tool_return_content: str | None = None) -> bytes:
        """Return `new_messages` as JSON, which `ModelMessagesTypeAdapter` reads."""
        return ModelMessagesTypeAdapter.dump_json(
            self.new_messages(result_tool_return_content=result_tool_return_content)
        )
