from typing import ClassVar


class TillRefusal(Exception):
    """An expected refusal at the till, named by the fact that caused it.

    Subclasses stand beside the code that raises them and carry the two sentences that a cashier sees. The server's
    refusals have a base of their own: a till imports nothing of the backend.
    """

    code: ClassVar[str] = "refused"
    text_zh: ClassVar[str] = "未被接受。"
    text_en: ClassVar[str] = "Refused."

    def __init__(self, **facts: object) -> None:
        """`facts` fill the placeholders of both sentences."""
        super().__init__(self.code)
        self.facts = facts

    @property
    def sentence_zh(self) -> str:
        return self.text_zh.format(**self.facts)

    @property
    def sentence_en(self) -> str:
        return self.text_en.format(**self.facts)

    def __str__(self) -> str:
        return f"{self.code}: {self.sentence_en}"
