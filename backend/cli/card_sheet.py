"""The sheet that is printed for a paper card: large type, a symbol for the till, and apart from it the binding code. Pure."""

from string import Template

import segno
from barcode.codex import Code128

from backend.labels.regions import region_name
from backend.residents.cards.number import CardNumber

QUIET = 10
"""Modules without a bar on each side of a Code 128."""
_SHEET = Template("""<!doctype html>
<html lang="zh-CN">
<head>
<meta charset="utf-8">
<title>绿色积分会员卡</title>
<style>
  @page { size: A4; margin: 14mm; }
  body { font: 18pt/1.4 "Noto Sans CJK SC", "Source Han Sans SC", "Microsoft YaHei", sans-serif; color: #000; margin: 0; }
  h1 { font-size: 30pt; margin: 0; }
  .card { border: 1.5pt solid #000; border-radius: 6mm; padding: 8mm; }
  .symbol { float: right; width: 52mm; height: 52mm; margin-left: 8mm; }
  .symbol svg { width: 100%; height: 100%; }
  .bars { clear: both; margin-top: 4mm; }
  .bars svg { width: 150mm; height: 18mm; display: block; }
  .number { font: 700 26pt/1.4 "DejaVu Sans Mono", Consolas, monospace; letter-spacing: 1pt; margin: 4mm 0 0; }
  .small { font-size: 14pt; }
  .cut { border: 0; border-top: 1.5pt dashed #000; margin: 7mm 0; }
  ol { margin: 2mm 0; padding-left: 10mm; }
</style>
</head>
<body>
<section class="card">
  <div class="symbol">$symbol</div>
  <h1>绿色积分会员卡</h1>
  <p>$city<br><span class="small">Green Points member card</span></p>
  <div class="bars">$bars</div>
  <p class="number">$number</p>
</section>
<ol>
  <li>结账时把卡给收银员扫一扫，积分就记到您名下。<br><span class="small">Let the cashier scan it: points are yours.</span></li>
  <li>卡只能积分，不能兑换；要兑换，请用本人手机号登录网页，可请家人帮忙操作。<br>
  <span class="small">It earns and redeems nothing: to redeem, sign in on the page by your own number.</span></li>
  <li>卡丢了请马上挂失换卡，原来的积分都还在。<br><span class="small">Lost? Report it; your points stay.</span></li>
</ol>
<hr class="cut">
<h1>绑定码（请与卡分开保管）</h1>
<p class="number">$secret</p>
<p>以后有了智能手机，凭卡号和绑定码可把卡里的积分并入手机账户。请勿告诉他人，工作人员不会向您索要。<br>
<span class="small">With number and this code the card's points join an account on a phone later. Tell nobody.</span></p>
</body>
</html>
""")


def sheet(number: CardNumber, secret: str) -> str:
    """HTML for one A4 page that needs nothing else."""
    symbol = segno.make_qr(number.text, error="h").svg_inline(border=4, omitsize=True)
    grouped = "-".join(secret[start : start + 4] for start in range(0, len(secret), 4))
    return _SHEET.substitute(
        symbol=symbol,
        bars=_bars(number.text),
        number=number.shown,
        secret=grouped,
        city=region_name(number.city) or number.city,
    )


def _bars(text: str) -> str:
    """Code 128, for readers that know no square symbols; stretched by the page, with its quiet zones."""
    (modules,) = Code128(text).build()
    bars = "".join(f"M{place} 0h1v40h-1z" for place, module in enumerate(modules, start=QUIET) if module == "1")
    width = len(modules) + 2 * QUIET
    return f'<svg viewBox="0 0 {width} 40" preserveAspectRatio="none"><path d="{bars}"/></svg>'
