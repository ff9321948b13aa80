from typing import ClassVar


class DomainError(Exception):
    """An expected refusal, named by the fact that caused it.

    Subclasses stand beside the code that raises them and carry two sentences a resident, cashier or
    official understands. They know no HTTP: `backend.web.problems` is the only map to a status.
    Not frozen: a frozen dataclass raised through a context manager dies as FrozenInstanceError.
    """

    code: ClassVar[str] = "refused"
    text_zh: ClassVar[str] = "请求未被接受。"
    text_en: ClassVar[str] = "The request was refused."

    def __init__(self, **facts: object) -> None:
        """`facts` fill the placeholders of both sentences and travel in the problem document."""
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
