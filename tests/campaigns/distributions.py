"""Are two samples of durations of one distribution? Welch's t over cropped samples (as dudect does),
quantile against quantile, Mann-Whitney and Kolmogorov-Smirnov; nothing but the standard library.

Durations have a sharp lower edge and a long tail of what the machine did meanwhile: a shift shows best
in the low quantiles, a rare detour in the means."""
import bisect
import math

CROPS = [0.5, 0.6, 0.7, 0.8, 0.9, 0.95, 0.99, 1.0]  # share of both samples together that is kept, from below
QUANTILES = [0.05, 0.1, 0.2, 0.3, 0.5, 0.75]


def moments(values):
    mean = math.fsum(values) / len(values)
    variance = math.fsum((one - mean) ** 2 for one in values) / max(1, len(values) - 1)
    return mean, variance


def cropped(values, limit):
    return values[:bisect.bisect_right(values, limit)]


def welch(left, right):
    """t, difference of the means and its standard error."""
    (mean_left, variance_left), (mean_right, variance_right) = moments(left), moments(right)
    error = math.sqrt(variance_left / len(left) + variance_right / len(right)) or 1e-9
    return (mean_left - mean_right) / error, mean_left - mean_right, error


def rank_tests(left, right):
    """z of Mann-Whitney (ties share ranks) and the p-value of Kolmogorov-Smirnov; sorted samples."""
    n, m = len(left), len(right)
    at_left = at_right = 0
    rank_sum, ties, distance = 0.0, 0.0, 0.0
    while at_left < n or at_right < m:
        value = min(left[at_left] if at_left < n else math.inf, right[at_right] if at_right < m else math.inf)
        same_left = bisect.bisect_right(left, value, at_left) - at_left
        same_right = bisect.bisect_right(right, value, at_right) - at_right
        count = same_left + same_right
        rank_sum += same_left * (at_left + at_right + (count + 1) / 2)
        ties += count ** 3 - count
        at_left, at_right = at_left + same_left, at_right + same_right
        distance = max(distance, abs(at_left / n - at_right / m))
    total = n + m
    spread = math.sqrt(n * m / 12 * (total + 1 - ties / (total * (total - 1)))) or 1e-9
    z = (rank_sum - n * (n + 1) / 2 - n * m / 2) / spread
    scaled = (math.sqrt(n * m / total) + 0.12 + 0.11 / math.sqrt(n * m / total)) * distance
    p = 2 * math.fsum((-1) ** (k - 1) * math.exp(-2 * (k * scaled) ** 2) for k in range(1, 101))
    return z, min(1.0, max(0.0, p)) if scaled > 0.2 else 1.0


def quantile(values, share):
    """A quantile and its standard error, from the order statistics one deviation away."""
    n = len(values)
    at, deviation = share * (n - 1), math.sqrt(n * share * (1 - share))
    low, high = max(0, int(at - deviation)), min(n - 1, int(at + deviation) + 1)
    return values[int(at)], max((values[high] - values[low]) / 2, 1.0)


def compare(left, right):
    """What there is to say of two sorted samples. `ns` is the difference where it is known best."""
    both = sorted(left + right)
    tests = []  # (statistic, difference, error, where)
    for crop in CROPS:
        limit = both[min(len(both) - 1, int(crop * len(both)))]
        a, b = cropped(left, limit), cropped(right, limit)
        if min(len(a), len(b)) >= 30:  # else one of them lies wholly above: the quantiles will tell
            tests.append((*welch(a, b), f"mean of the lower {crop}"))
    for share in QUANTILES:
        (low, error_low), (high, error_high) = quantile(left, share), quantile(right, share)
        error = math.hypot(error_low, error_high)
        tests.append(((low - high) / error, low - high, error, f"quantile {share}"))
    best = min((one for one in tests if one[3].startswith("quantile")), key=lambda one: one[2])
    strongest = max(tests, key=lambda one: abs(one[0]))
    z, p = rank_tests(left, right)
    return {"t": strongest[0], "where": strongest[3], "strongest_ns": strongest[1], "z": z, "ks_p": p,
            "ns": best[1], "error_ns": best[2]}
