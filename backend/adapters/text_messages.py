import structlog

TEXT_ZH = "【绿色积分】验证码 {code}，5 分钟内有效。工作人员不会向您索要，请勿告诉他人。"

log = structlog.get_logger()


class LoggedTextMessages:
    """For the demonstration and for development: whoever reads the log reads the code. Refused in production."""

    def send(self, number: str, code: str) -> None:
        log.info("text_message", phone=f"{number[:6]}****{number[-4:]}", text=TEXT_ZH.format(code=code))
