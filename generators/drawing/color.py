"""Colours by hue, lightness and saturation, in compiled code."""

from numba import njit


@njit(cache=True)
def rgb(degrees: float, lightness: float, saturation: float) -> tuple[float, float, float]:
    """As ``colorsys.hls_to_rgb``, bit for bit, for a hue in degrees; lightness is cut to [0, 1]."""
    hue, light = degrees / 360 % 1, min(max(lightness, 0.0), 1.0)
    if saturation == 0.0:
        return light, light, light
    most = light * (1.0 + saturation) if light <= 0.5 else light + saturation - light * saturation
    least = 2.0 * light - most
    third = 1.0 / 3.0
    return (
        _channel(least, most, hue + third),
        _channel(least, most, hue),
        _channel(least, most, hue - third),
    )


@njit(cache=True)
def _channel(least: float, most: float, hue: float) -> float:
    hue = hue % 1.0
    if hue < 1.0 / 6.0:
        return least + (most - least) * hue * 6.0
    if hue < 0.5:
        return most
    if hue < 2.0 / 3.0:
        return least + (most - least) * (2.0 / 3.0 - hue) * 6.0
    return least
