import matplotlib.pyplot as plt


def plot_revenue(days, revenue_cents):
    plt.plot(days, [float(cents) / 100 for cents in revenue_cents])
    plt.ylabel("revenue, EUR")


def observe(statsd, payment):
    statsd.gauge("payment.amount", float(payment.amount))
