from typing import ClassVar


class WireError(Exception):
    """Bytes that break the wire contract, named by the fact; `code` is stable and machine-readable."""

    code: ClassVar[str] = "malformed"
    text_zh: ClassVar[str] = "收到的数据格式不正确。"
    text_en: ClassVar[str] = "The bytes do not follow the wire contract."

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


class BadTopic(WireError):
    code = "bad_topic"
    text_zh = "主题“{topic}”不属于本协议。"
    text_en = "The topic {topic!r} is not part of this protocol."


class BadDeviceId(WireError):
    code = "bad_device_id"
    text_zh = "设备编号“{device}”不合规：须为 8 至 40 个小写字母、数字或连字符，且不得以 bridge 开头。"
    text_en = "The device id {device!r} is not 8-40 of [a-z0-9-], or begins with 'bridge'."


class PayloadTooShort(WireError):
    code = "payload_too_short"
    text_zh = "消息只有 {size_bytes} 字节，不足以包含格式号、签名和正文。"
    text_en = "A payload of {size_bytes} bytes cannot hold a format byte, a signature and a body."


class PayloadTooLarge(WireError):
    code = "payload_too_large"
    text_zh = "消息有 {size_bytes} 字节，超过上限 {size_bytes_max} 字节。"
    text_en = "The payload has {size_bytes} bytes; at most {size_bytes_max} are allowed."


class UnknownFormat(WireError):
    code = "unknown_format"
    text_zh = "消息的格式号为 {format_byte}，本版本只认识 1。"
    text_en = "The payload begins with format byte {format_byte}; only 1 is known."


class UnknownVersion(WireError):
    code = "unknown_version"
    text_zh = "消息版本 {version} 不受支持。"
    text_en = "Message version {version} is not supported."


class WrongBasketCount(WireError):
    code = "wrong_basket_count"
    text_zh = "一条消息须含 1 至 {count_max} 单，实有 {count} 单。"
    text_en = "A message holds 1 to {count_max} baskets; this one holds {count}."


class WrongReadCount(WireError):
    code = "wrong_read_count"
    text_zh = "一单须含 1 至 {count_max} 次读码（作废单可为空），实有 {count} 次。"
    text_en = "A basket holds 1 to {count_max} reads (a void may have none); this one holds {count}."


class LineBroken(WireError):
    code = "line_broken"
    text_zh = "消息中的一行为空或含有换行符。"
    text_en = "A line of the message is empty or holds a newline."


class NotJson(WireError):
    code = "not_json"
    text_zh = "此行不是一个 JSON 对象。"
    text_en = "The line is not one JSON object."


class DuplicateKey(WireError):
    code = "duplicate_key"
    text_zh = "JSON 对象中的键“{key}”重复出现。"
    text_en = "The JSON key {key!r} appears twice in one object."


class BadField(WireError):
    code = "bad_field"
    text_zh = "字段“{field}”缺失或不合规：{rule}。"
    text_en = "The field {field!r} is missing or breaks its rule: {rule}."


class BadSignature(WireError):
    code = "bad_signature"
    text_zh = "签名与内容不符。"
    text_en = "The signature does not fit the bytes."


class MemberCodeMalformed(WireError):
    code = "member_code_malformed"
    text_zh = "这不是有效的会员码。"
    text_en = "This is not a member code."


class MemberCardMalformed(WireError):
    code = "member_card_malformed"
    text_zh = "卡号没有读对，请重扫卡上的码。"
    text_en = "The card was not read right; scan it again."


class MemberKeyUnknown(WireError):
    code = "member_key_unknown"
    text_zh = "会员码所用的城市密钥“{key_id}”未知，请刷新会员码后重试。"
    text_en = "The member code names the city key {key_id!r}, which is not known here."


class MemberCodeForged(WireError):
    code = "member_code_forged"
    text_zh = "会员码的签名无效，不予接受。"
    text_en = "The member code's signature is not the city's."


class MemberCodeExpired(WireError):
    code = "member_code_expired"
    text_zh = "会员码已过期，请在手机上刷新后重试。"
    text_en = "The member code has expired; refresh it on the phone."


class MemberCodeTooFarAhead(WireError):
    code = "member_code_too_far_ahead"
    text_zh = "会员码的有效期超过 {validity_s_max} 秒，不予接受。"
    text_en = "The member code claims to be valid for more than {validity_s_max} s."


class MemberCodeOfAnotherCity(WireError):
    code = "member_code_of_another_city"
    text_zh = "会员码属于其他城市（{city}）。"
    text_en = "The member code belongs to another city ({city})."


class ClaimCodeMalformed(WireError):
    code = "claim_code_malformed"
    text_zh = "领取码应为 16 位字母或数字，请核对后重新输入。"
    text_en = "A claim code has 16 letters or digits of Crockford's base 32."
