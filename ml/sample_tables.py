"""How the codes and numbers of generated players spread, and what the codes add to the odds of leaving and of paying."""

import numpy as np
from numpy.typing import NDArray

from segments import Floats


class Codes:
    """Texts with their shares of the players and what each adds to the log-odds of leaving and of paying. The order of codes such
    as 300 and 400 means nothing, as in the game."""

    def __init__(self, table: dict[str, tuple[float, float, float]]) -> None:
        shares, self.churn, self.purchase = np.array(list(table.values())).T
        self._ends = np.cumsum(shares) / shares.sum()
        self.texts = np.array(list(table))

    def draw(self, uniform: Floats) -> NDArray[np.intp]:
        return np.minimum(np.searchsorted(self._ends, uniform, side="right"), len(self._ends) - 1)


PROMOTIONS = Codes(
    {
        "0": (0.697, 0.0, 0.0),
        "3": (0.078, 0.4, -0.1),
        "40": (0.064, -0.6, 0.3),
        "10": (0.056, 0.2, 0.0),
        "20": (0.040, -0.3, 0.2),
        "1": (0.034, 0.9, -0.6),
        "50": (0.030, -1.1, 0.5),
        "5": (0.001, 0.6, 0.0),
    }
)
# Minutes a day and purchases in 90 days are two codes of one thing.
PLAY_CODES = Codes(
    {
        "10:9": (0.322, 0.5, -0.2),
        "20:10": (0.224, 0.1, 0.0),
        "70:13": (0.165, -1.2, 0.4),
        "60:14": (0.053, -1.7, 0.7),
        "110:11": (0.042, -0.2, 0.1),
        "3:7": (0.036, 1.4, -0.5),
        "120:12": (0.033, -0.3, 0.1),
        "5:6": (0.029, 1.3, -0.5),
        "30:4": (0.020, 1.5, -0.6),
        "1:15": (0.018, -2.4, 0.9),
        "0:5": (0.016, 1.4, -0.4),
        "90:8": (0.013, 1.0, -0.4),
        "50:16": (0.013, -2.4, 0.9),
        "80:3": (0.010, 1.8, -0.7),
        "100:2": (0.005, 1.9, -0.7),
        "40:1": (0.002, 2.0, -0.8),
    }
)
LEVELS = Codes(
    {
        "10": (0.460, -1.1, 0.5),
        "15": (0.328, 1.3, -0.6),
        "1": (0.137, 0.8, -0.1),
        "5": (0.032, 1.0, 0.0),
        "25": (0.031, 0.9, 0.3),
        "30": (0.013, 0.8, 0.0),
        "20": (0.001, -0.8, 0.4),
    }
)
CRYSTALS = Codes(
    {
        "300": (0.127, 0.2, 0.0),
        "20": (0.126, -0.9, 0.2),
        "400": (0.125, -1.0, 0.4),
        "800": (0.116, 0.1, -0.1),
        "10": (0.112, -0.2, 0.1),
        "200": (0.101, 1.2, -0.5),
        "0": (0.062, 0.7, -0.3),
        "100": (0.057, 0.5, -0.2),
        "150": (0.049, 0.2, 0.0),
        "1000": (0.042, 1.0, -0.3),
        "900": (0.031, 1.1, 0.0),
        "700": (0.029, -0.7, 0.3),
        "500": (0.020, -0.8, 0.2),
        "50": (0.005, 1.6, -0.6),
    }
)
RACES = Codes(
    {
        "White": (0.854, 0.0, 0.0),
        "Black": (0.096, 0.2, -0.1),
        "Asian-Pac-Islander": (0.032, -0.1, 0.1),
        "Amer-Indian-Eskimo": (0.010, 0.3, 0.0),
        "Other": (0.008, 0.3, -0.1),
    }
)
GENDERS = Codes({"Male": (0.669, -0.2, 0.1), "Female": (0.331, 0.4, -0.2)})
COUNTRIES = Codes(
    {
        "United-States": (0.896, 0.0, 0.0),
        "Mexico": (0.020, 0.6, -0.3),
        "?": (0.018, 0.0, 0.0),
        "Philippines": (0.006, -0.2, 0.1),
        "Germany": (0.004, -0.1, 0.1),
        "Canada": (0.004, -0.2, 0.1),
        "Puerto-Rico": (0.004, 0.4, -0.2),
        "El-Salvador": (0.003, 0.5, -0.3),
        "India": (0.003, -0.3, 0.2),
        "Cuba": (0.003, 0.1, 0.0),
        "England": (0.003, -0.1, 0.1),
        "대한민국": (0.003, -0.1, 0.2),
        "Jamaica": (0.003, 0.3, -0.1),
        "Japan": (0.002, -0.3, 0.2),
        "Vietnam": (0.002, 0.5, -0.2),
    }
)
REGISTER_CODES = np.array([15024, 7688, 7298, 99999, 5178, 3103, 4386, 5013, 8614, 3325, 2174, 594, 10520, 4064, 14084, 3137])
PURCHASES = np.array([1902, 1977, 1887, 1485, 1848, 2415, 1602, 1740, 1590, 1876, 1672, 2258, 1564, 1719, 2001, 625, 4356])
