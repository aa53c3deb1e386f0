"""Faults on the way from scores to what a reader sees: record, summary, tables, figures, pages."""

from .fault import Fault

POINTS = (
    "tests/test_report.py::"
    "test_points_are_the_median_and_the_maximum_over_the_samples_failures_among_them"
)
FIELDS = "tests/test_figures.py::test_a_field_of_a_map_is_the_worst_of_all_that_share_it"
WITHOUT_RESULT = "tests/test_counts.py::test_a_study_without_a_result_counts_what_it_skipped"
FAILURES_ALONE = "tests/test_counts.py::test_a_study_of_failures_alone_hides_none[['raises']]"
FAULTY = "tests/test_flow.py::test_a_faulty_formula_is_an_outcome_and_the_rest_is_measured"

FAULTS: tuple[Fault, ...] = (
    Fault(
        "median_for_the_maximum",
        "The column of the largest errors holds the medians.",
        "fpstudy/summary.py",
        '    largest = groups[[*errors, "normwise_error", *SIZES]].max().add_suffix("_max")\n',
        '    largest = groups[[*errors, "normwise_error", *SIZES]].median().add_suffix("_max")\n',
        (
            "tests/test_summary.py::test_failures_are_infinite_in_medians_and_maxima",
            "tests/test_summary.py::test_the_worst_component_of_the_worst_sample_is_found",
        ),
    ),
    Fault(
        "infinite_errors_averaged_away",
        "Errors that are not finite are left out of the median.",
        "fpstudy/summary.py",
        '        medians = groups[errors].median().add_suffix("_median")\n',
        "        finite = record[errors].replace(np.inf, np.nan)\n"
        '        medians = finite.groupby(record["case"]).median().add_suffix("_median")\n',
        ("tests/test_summary.py::test_failures_are_infinite_in_medians_and_maxima",),
    ),
    Fault(
        "summary_counts_one_sample",
        "The counts of a case are those of its first sample.",
        "fpstudy/summary.py",
        '    counts = groups[["components", *COUNTS]].sum()\n',
        '    counts = groups[["components", *COUNTS]].first()\n',
        ("tests/test_summary.py",),
    ),
    Fault(
        "cases_without_an_error_dropped",
        "Cases without an error, the skipped and the undefined ones, are dropped as missing.",
        "fpstudy/summary.py",
        "    return summary.reset_index(drop=True)[list(COLUMNS)]\n",
        '    summary = summary.dropna(subset="relative_error_max")\n'
        "    return summary.reset_index(drop=True)[list(COLUMNS)]\n",
        ("tests/test_summary.py::test_a_case_without_any_error_keeps_its_row",),
    ),
    Fault(
        "crash_counts_one_result",
        "A formula that raises counts one failing result, not all that it owes.",
        "fpstudy/record.py",
        "        **{name: components if name == outcome else 0 for name in COUNTS},\n",
        "        **{name: int(name == outcome) for name in COUNTS},\n",
        (FAULTY,),
    ),
    Fault(
        "crash_has_no_error",
        "A formula that raises has no error, and so no part in any maximum.",
        "fpstudy/record.py",
        '    error = np.nan if outcome == "skipped" else np.inf\n',
        "    error = np.nan\n",
        (FAULTY,),
    ),
    Fault(
        "crash_ends_as_run",
        "The manifest counts a case that crashed as one that was run.",
        "fpstudy/record.py",
        '"skipped" if outcome == "skipped" else "crashed")',
        '"skipped" if outcome == "skipped" else "run")',
        (FAULTY,),
    ),
    Fault(
        "skip_is_a_failure",
        "A case that was not run counts as one that failed.",
        "fpstudy/outcomes.py",
        'Outcome("skipped", "-", "not run, for the reason given")',
        'Outcome("skipped", "-", "not run, for the reason given", True)',
        (WITHOUT_RESULT,),
    ),
    Fault(
        "verdict_of_the_first_length",
        "A magnitude passes if the first length measured there did not fail.",
        "fpstudy/report/verdicts.py",
        '    counts = groups[[*FAILURES, "failing", "flushed_subnormal"]].sum()\n',
        '    counts = groups[[*FAILURES, "failing", "flushed_subnormal"]].first()\n',
        (
            "tests/test_report.py::"
            "test_a_failure_at_any_n_ends_the_reach_and_later_successes_do_not_count",
        ),
    ),
    Fault(
        "verdict_tells_the_middle_error",
        "The largest relative error of a verdict is the middle one of its magnitudes.",
        "fpstudy/report/verdicts.py",
        'groups["relative_error_max"].max().iloc[judged].max()',
        'groups["relative_error_max"].max().iloc[judged].median()',
        ("tests/test_report.py::test_a_verdict_tells_the_worst_case_at_each_magnitude_and_of_all",),
    ),
    Fault(
        "bits_of_the_best_sample",
        "A verdict tells the bits of the best case at each magnitude.",
        "fpstudy/report/verdicts.py",
        '    bits = groups["bits_kept_min"].min().iloc[judged]\n',
        '    bits = groups["bits_kept_min"].max().iloc[judged]\n',
        ("tests/test_report.py::test_a_verdict_tells_the_worst_case_at_each_magnitude_and_of_all",),
    ),
    Fault(
        "missing_library_hides_the_others",
        "A formula that is skipped throughout, as its library is not installed, ends the verdict"
        " on all the others.",
        "fpstudy/report/verdicts.py",
        'where((table["skipped"] > 0) & table["swept"] & runs)',
        'where((table["skipped"] > 0) & table["swept"])',
        ("tests/test_report.py::test_a_formula_that_runs_nowhere_ends_no_other_formulas_reach",),
    ),
    Fault(
        "verdict_counts_finite_results",
        "A verdict's count of results leaves out those that failed.",
        "fpstudy/report/verdicts.py",
        '        components=int(part["measured"].sum()),\n',
        '        components=int((part["measured"] - part["failing"]).sum()),\n',
        (FAILURES_ALONE,),
    ),
    Fault(
        "failures_dropped_from_the_curves",
        "Samples whose error is not finite are dropped from a figure's points.",
        "fpstudy/report/points.py",
        '    infinite = np.isinf(samples["relative_error"])\n',
        '    samples = samples[~np.isinf(samples["relative_error"])]\n'
        '    infinite = np.isinf(samples["relative_error"])\n',
        (POINTS,),
    ),
    Fault(
        "failures_not_drawn",
        "A maximum that leaves the axis of a figure is not marked in its strip.",
        "fpstudy/report/curves.py",
        "    left = np.isnan(upper) & ~np.isnan(maximum)\n",
        "    left = np.isnan(upper) & False\n",
        ("tests/test_report.py::test_a_sum_that_fails_is_drawn_in_the_strip",),
    ),
    Fault(
        "figure_of_another_column",
        "A figure of relative errors draws errors in ulps.",
        "fpstudy/report/figures.py",
        'own = record.loc[record["case"].isin(cases.index), ["case", "relative_error"]]\n',
        'own = record.loc[record["case"].isin(cases.index), ["case", "ulp_error"]]\n'
        '    own = own.rename(columns={"ulp_error": "relative_error"})\n',
        (
            "tests/test_figures.py::test_curves_are_of_relative_errors_and_no_other_column_of_the_record",
        ),
    ),
    Fault(
        "errors_of_another_case",
        "The errors in a figure are put in order, apart from the cases that they are of.",
        "fpstudy/report/figures.py",
        '    errors = own["relative_error"].to_numpy()\n',
        '    errors = np.sort(own["relative_error"].to_numpy())\n',
        ("tests/test_figures.py::test_the_numbers_of_curves_are_those_of_the_summary",),
    ),
    Fault(
        "crash_drawn_as_one_sample",
        "A case that raised counts as one sample in a figure, as it has one row in the record.",
        "fpstudy/report/figures.py",
        'np.where(rows == 1, own["case"].map(cases["samples"]), 1)',
        "1",
        (FAILURES_ALONE,),
    ),
    Fault(
        "median_drawn_as_the_maximum",
        "The edge of a figure's band is the median.",
        "fpstudy/report/points.py",
        '        maximum=("relative_error", "max"),\n',
        '        maximum=("relative_error", "median"),\n',
        (POINTS,),
    ),
    Fault(
        "map_of_the_last_case",
        "A field of a map shows the last of the cases that share it, not all of them.",
        "fpstudy/report/maps.py",
        '    fields = groups[[*counts, "honest_underflow"]].sum()\n',
        '    fields = groups[[*counts, "honest_underflow"]].last()\n',
        (FIELDS,),
    ),
    Fault(
        "most_bits_in_the_map",
        "The map of bits shows the case that kept most.",
        "fpstudy/report/maps.py",
        'groups["bits_kept_min"].min()',
        'groups["bits_kept_min"].max()',
        (FIELDS,),
    ),
    Fault(
        "table_of_the_cases_that_ran",
        "The table of failures leaves out the cases that were skipped.",
        "fpstudy/report/tables.py",
        '    groups = table.groupby(["variant", "formula", *SETTING], sort=False)\n',
        '    table = table[table["skipped"] == 0]\n'
        '    groups = table.groupby(["variant", "formula", *SETTING], sort=False)\n',
        (WITHOUT_RESULT,),
    ),
    Fault(
        "rare_reasons_dropped",
        "Of the reasons why cases were not run, those beyond the twentieth are dropped.",
        "fpstudy/report/tables.py",
        "    if len(rest):\n",
        "    if False:\n",
        ("tests/test_counts.py::test_more_reasons_than_are_spelled_out_are_counted_together",),
    ),
    Fault(
        "size_of_what_ran",
        "The number of results that a page states is that of the cases without a failure.",
        "fpstudy/report/method.py",
        '    results, skipped = summary["components"].sum(), summary["skipped"].sum()\n',
        '    results = summary.query("relative_error_max < inf")["components"].sum()\n'
        '    skipped = summary["skipped"].sum()\n',
        (WITHOUT_RESULT,),
    ),
    Fault(
        "worst_input_of_another_sample",
        "The worst input that a page shows is that of the sample with the least error.",
        "fpstudy/report/worst.py",
        'its["ulp_error"].argmax()',
        'its["ulp_error"].argmin()',
        ("tests/test_page.py::test_cards_show_the_sample_with_the_largest_error",),
    ),
)
