"""Labels of domains: free mail and disposable, subdomains included, with and without the package."""

from __future__ import annotations

import subprocess
import sys
from typing import Any

import pandas as pd
import pytest

import bounceanalytics as ba
from bounceanalytics.domains import disposable_domains, label_domains
from bounceanalytics.domains.free_mail import free_mail, well_known
from bounceanalytics.errors import FrameError

WITHOUT = "import sys; sys.modules['disposable_email_domains'] = None\n"


def run(program: str) -> str:
    return subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    ).stdout.strip()


def test_subdomains_of_disposable_domains_count_and_neighbours_do_not() -> None:
    given = ["mailinator.com", "Box.MAILINATOR.com.", "ann@mailinator.com", "zq-mailinator.com", "com"]
    assert disposable_domains(given).tolist() == [True, True, True, False, False]


def test_rows_and_index_stay_and_missing_stays_missing() -> None:
    given = pd.Series(["gmail.com", None, "", "Bücher.example", "gmail.com"], index=list("abcde"))
    labels = ba.label_domains(given)
    assert labels.index.tolist() == list("abcde")
    assert labels["domain"].isna().tolist() == [False, True, True, False, False]
    assert labels["domain"]["d"] == "xn--bcher-kva.example"
    assert labels["free_mail"].tolist() == [True, False, False, False, True]
    assert labels["disposable"].isna().tolist() == [False, True, True, False, False]


def test_without_the_package_the_label_is_missing_and_asking_names_the_extra() -> None:
    shown = "print(ba.label_domains(['gmail.com']).astype(object).to_numpy().tolist())"
    program = f"{WITHOUT}import bounceanalytics as ba\n{shown}"
    assert run(program) == "[['gmail.com', 'gmail.com', True, <NA>]]"
    program = f"""{WITHOUT}
import bounceanalytics as ba
from bounceanalytics.domains import disposable_domains, label_domains
try:
    disposable_domains(["gmail.com"])
except ba.MissingExtraError as error:
    print(error)
"""
    assert "bounceanalytics[disposable]" in run(program)


def test_the_package_is_loaded_on_use() -> None:
    program = "import sys, bounceanalytics\nprint('disposable_email_domains' in sys.modules)"
    assert run(program) == "False"


def test_free_mail_domains_are_written_as_domains_are_compared() -> None:
    known = sorted(free_mail().known)
    labels = ba.label_domains(known)
    assert labels["domain"].tolist() == known
    assert labels["free_mail"].all()


def test_large_ones_come_first_and_the_table_has_no_line_twice() -> None:
    assert list(free_mail().likely)[:3] == ["gmail.com", "googlemail.com", "hotmail.com"]
    assert set(free_mail().likely) <= free_mail().known <= well_known()
    assert len(free_mail().likely) > 150


@pytest.mark.parametrize("given", [None, 5, [5], b"x", [["gmail.com"]]])
def test_what_holds_no_domains(given: Any) -> None:
    for labels in (label_domains, disposable_domains):
        with pytest.raises(FrameError, match="expected a list of texts, found"):
            labels(given)


def test_one_domain_is_one() -> None:
    assert label_domains("gmail.com")["free_mail"].tolist() == [True]
