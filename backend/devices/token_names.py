"""What a service's token is called, and what is refused of it. Pure."""

from backend.kernel.errors import DomainError

NAME_MAX = 64
POS = "pos"


class TokenNameRefused(DomainError):
    code = "token-name-refused"
    text_zh = "令牌名称须为 1-64 个可见字符。"
    text_en = "A token's name has 1-64 printable characters."


class NoSuchToken(DomainError):
    code = "no-such-token"
    text_zh = "没有名为 {name} 的有效 {service} 令牌。"
    text_en = "There is no valid {service} token named {name}."
