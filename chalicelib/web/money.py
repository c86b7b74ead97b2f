"""Dollars and amounts as words: for the page of costs."""


def usd(amount: float) -> str:
    """Two digits that say something: $12.34, $0.0012; whole dollars from a thousand on."""
    if amount >= 1_000:
        return f"${amount:,.0f}"
    if amount >= 0.995 or amount == 0:
        return f"${amount:.2f}"
    if amount < 0.00005:
        return "under $0.0001"
    return f"${amount:.2f}" if amount >= 0.1 else f"${amount:.4f}"


def amount(many: float) -> str:
    """Whole things above a hundred, three digits below: 1,204, 12.3, 0.00142."""
    if many >= 100 or many == int(many):
        return f"{many:,.0f}"
    if many < 0.00001:
        return "under 0.00001"
    return f"{many:.5f}".rstrip("0") if many < 0.1 else f"{many:.3g}"
