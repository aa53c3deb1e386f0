"""Faults in inputs: what is drawn, read, rounded and refused."""

from .fault import Fault

SHARED = "tests/test_samples.py::test_shared_values_are_values_of_every_dtype"

FAULTS: tuple[Fault, ...] = (
    Fault(
        "inputs_rounded_twice",
        "Logits go through float32 on their way to the format, as ml_dtypes casts float64.",
        "fpstudy/samples.py",
        "round_to_quantum(finite, quantum)",
        "round_to_quantum(finite.astype(np.float32), quantum)",
        ("tests/test_samples.py::test_an_input_is_rounded_once",),
    ),
    Fault(
        "inputs_not_rounded",
        "The truth is that of the float64 logits, and every formula gets its own rounding of them.",
        "fpstudy/samples.py",
        "    return np.where(np.abs(rounded) < flushed, 0.0, rounded)\n",
        "    return x\n",
        (SHARED,),
    ),
    Fault(
        "shared_inputs_of_the_first_dtype",
        "Inputs that all dtypes are to share are rounded to the first of them.",
        "fpstudy/samples.py",
        "np.max([f.quantum(finite) for f in formats], axis=0)",
        "formats[0].quantum(finite)",
        (SHARED,),
    ),
    Fault(
        "shared_inputs_per_dtype",
        "Inputs that all dtypes are to share are rounded to each on its own.",
        "fpstudy/cases.py",
        '    roundings = [known] if sweep.inputs == "shared" else [(f,) for f in known]\n',
        "    roundings = [(f,) for f in known]\n",
        (
            "tests/test_samples.py::test_what_two_sweeps_ask_alike_is_one_case",
            "tests/test_samples.py::test_labels_are_rounded_like_logits",
        ),
    ),
    Fault(
        "labels_not_rounded",
        "Labels reach the truth as float64, and the formulas as they are stored.",
        "fpstudy/samples.py",
        "        q = stored(_labels(demand, targets), draw.formats)\n",
        "        q = _labels(demand, targets)\n",
        ("tests/test_samples.py::test_labels_are_rounded_like_logits",),
    ),
    Fault(
        "parameters_not_rounded",
        "A base or beta reaches the truth as it is written, not as it is stored.",
        "fpstudy/samples.py",
        "        name: float(stored(np.asarray(value), draw.formats))\n",
        "        name: float(value)\n",
        ("tests/test_samples.py::test_parameters_are_rounded",),
    ),
    Fault(
        "all_samples_are_the_first",
        "Every sample of a case is the same vector.",
        "fpstudy/samples.py",
        "        x = DISTRIBUTIONS[draw.distribution](rng, shape, draw.magnitude)\n",
        "        x = DISTRIBUTIONS[draw.distribution](rng, shape[1:], draw.magnitude)\n"
        "        x = np.broadcast_to(x, shape)\n",
        ("tests/test_samples.py::test_every_sample_of_a_draw_is_another_one",),
    ),
    Fault(
        "one_seed_for_all_studies",
        "The study's seed is not what its random numbers are drawn from.",
        "fpstudy/distributions.py",
        "np.random.SeedSequence([seed, *words])",
        "np.random.SeedSequence([0, *words])",
        (
            "tests/test_samples.py::test_a_stream_depends_on_its_key_and_seed_alone",
            "tests/test_samples.py::test_another_seed_draws_other_logits_masks_targets_and_labels",
        ),
    ),
    Fault(
        "one_stream_for_all_lengths",
        "Logits, masks and targets are drawn from one stream, so that they depend on each other.",
        "fpstudy/distributions.py",
        "    digest = hashlib.sha256(repr(key).encode()).digest()\n",
        '    digest = hashlib.sha256(b"").digest()\n',
        ("tests/test_samples.py::test_a_stream_depends_on_its_key_and_seed_alone",),
    ),
    Fault(
        "uniform_from_zero",
        "Uniform logits are drawn from [0, M], not from [-M, M].",
        "fpstudy/distributions.py",
        "    return M * (2 * rng.random(shape) - 1)\n",
        "    return M * rng.random(shape)\n",
        ("tests/test_samples.py::test_a_distribution_has_its_magnitude",),
    ),
    Fault(
        "masked_positions_stay_open",
        "Masked logits are set to the least number instead of -inf, and keep a weight.",
        "fpstudy/samples.py",
        "        x = np.where(ranks.argsort(axis=-1) < count, -np.inf, x)\n",
        "        x = np.where(ranks.argsort(axis=-1) < count, -1e4, x)\n",
        ("tests/test_samples.py::test_masks_hide_the_fraction_asked_for_in_every_vector",),
    ),
    Fault(
        "least_masked_entry_is_the_target",
        "The least likely class is looked for among the masked ones too.",
        "fpstudy/samples.py",
        "        targets = np.where(np.isneginf(x), np.inf, x).argmin(axis=-1)\n",
        "        targets = x.argmin(axis=-1)\n",
        ("tests/test_samples.py::test_hard_targets",),
    ),
    Fault(
        "smoothing_over_the_other_classes",
        "Smoothed labels share their tenth among the other classes only.",
        "fpstudy/samples.py",
        "(1 - SMOOTHING) * one_hot + SMOOTHING / n",
        "(1 - SMOOTHING) * one_hot + (1 - one_hot) * SMOOTHING / (n - 1)",
        ("tests/test_samples.py::test_labels_are_rounded_like_logits",),
    ),
    Fault(
        "logits_beyond_the_format_not_refused",
        "Logits that a format cannot hold become infinite, and the formula is blamed.",
        "fpstudy/samples.py",
        "    if inputs.largest > f.largest:\n",
        "    if False:\n",
        ("tests/test_samples.py::test_refusal",),
    ),
    Fault(
        "file_read_in_float32",
        "Logits of a text file are read as float32.",
        "fpstudy/logit_files.py",
        "values = np.array(list(map(float, texts)))",
        "values = np.array(list(map(float, texts)), np.float32).astype(np.float64)",
        (
            "tests/test_logit_files.py::test_a_decimal_is_rounded_to_float64_and_to_nothing_narrower",
        ),
    ),
    Fault(
        "file_read_in_float32_beside_hex",
        "Decimals of a text file that has hex floats as well are read as float32.",
        "fpstudy/logit_files.py",
        'value, digits = float(plain), plain.lower().partition("e")[0]',
        'value, digits = float(np.float32(plain)), plain.lower().partition("e")[0]',
        (
            "tests/test_logit_files.py::test_a_decimal_is_rounded_to_float64_and_to_nothing_narrower",
        ),
    ),
    Fault(
        "file_of_integers_beyond_float64",
        "Integers that float64 does not hold are rounded when a file is read.",
        "fpstudy/logit_files.py",
        "if (x >= end).any() or (numbers != x.astype(numbers.dtype)).any():",
        "if False:",
        ("tests/test_logit_files.py::test_a_bad_file_is_refused",),
    ),
    Fault(
        "input_written_in_decimal",
        "The worst input is written with nine decimal digits, from which float64 does not come"
        " back.",
        "fpstudy/record.py",
        '"; ".join(" ".join(v.hex() for v in row) for row in rows)',
        '"; ".join(" ".join(f"{v:.9g}" for v in row) for row in rows)',
        ("tests/test_summary.py::test_the_worst_component_of_the_worst_sample_is_found",),
    ),
    Fault(
        "result_read_back_from_decimal",
        "Results are taken from printed text of eight digits, as many scripts pass them on.",
        "fpstudy/measurement.py",
        '        raise BadOutputError(f"returned {y.shape}, not {shape}")\n    return y\n',
        '        raise BadOutputError(f"returned {y.shape}, not {shape}")\n'
        '    return np.asarray([float(f"{v:.8g}") for v in y.ravel()]).reshape(y.shape)\n',
        ("tests/test_flow.py::test_every_computed_value_is_a_number_of_its_dtype",),
    ),
)
