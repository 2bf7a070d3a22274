from decimal import Decimal


def svg(payments: list[Decimal]) -> str:
    top = float(max(payments, default=Decimal(1)))
    rects = []
    for n, payment in enumerate(payments):
        height = 100.0 * float(payment) / top
        rects.append(f'<rect x="{n * 12}" y="{100 - height:.1f}" height="{height:.1f}"/>')
    return "".join(rects)
