"""Faults in what watches over the truths, and in what is kept from one run to the next."""

from .fault import Fault

OFF = "tests/test_witness.py::test_a_truth_that_is_off_by_four_radii_is_seen"
LARGE = "tests/test_flow.py::test_every_problem_is_witnessed_however_large_the_study"
ANEW = "tests/test_flow.py::test_what_results_depend_on_is_measured_anew_when_it_changes"
AGREES = "            agrees = values[j] == t or abs(values[j] - t) <= allowed\n"
OWN_ERROR = "            allowed += eps * problem.definition_error(terms, values[j], labels)\n"

FAULTS: tuple[Fault, ...] = (
    Fault(
        "witness_compares_strings",
        "The witness agrees where both values print the same 15 digits.",
        "fpstudy/witness.py",
        AGREES,
        "            agrees = mpmath.CONTEXT.nstr(values[j], 15) == mpmath.CONTEXT.nstr(t, 15)\n",
        (OFF,),
    ),
    Fault(
        "witness_compares_the_truth_to_itself",
        "The witness recomputes a value and then compares the truth with the truth.",
        "fpstudy/witness.py",
        AGREES,
        "            agrees = abs(t - t) <= allowed\n",
        (OFF,),
    ),
    Fault(
        "witness_is_the_reference",
        "The witness runs the well-conditioned text instead of the definition, so that a mistake"
        " in that text is confirmed.",
        "fpstudy/witness.py",
        "    values = problem.definition(xp, *[xp.asarray(part) for part in inputs.arrays],"
        " **parameters)\n",
        "    arrays = [xp.asarray(part) for part in inputs.arrays]\n"
        "    values = sum(problem.reference(xp, *arrays, **parameters))\n",
        ("tests/test_witness.py::test_a_reference_that_is_another_function_is_seen",),
    ),
    Fault(
        "witness_forgives_everything",
        "The witness's own error is taken as 1, so that no disagreement is one.",
        "fpstudy/witness.py",
        OWN_ERROR,
        "            allowed += 1\n",
        (OFF,),
    ),
    Fault(
        "witness_takes_itself_for_exact",
        "The witness's own rounding error is left out, and honest truths are accused.",
        "fpstudy/witness.py",
        "            agrees = values[j] == t or abs(values[j] - t) <= allowed\n",
        "            allowed -= eps * problem.definition_error(terms, values[j], labels)\n"
        "            agrees = values[j] == t or abs(values[j] - t) <= allowed / 2**40\n",
        ("tests/test_witness.py::test_truths_are_witnessed",),
    ),
    Fault(
        "witness_at_a_fixed_precision",
        "The definition is run at 110 bits whatever the inputs are.",
        "fpstudy/witness.py",
        "            need[j] += np.log2(error / value + 1) - (0 if relative else small)\n",
        "            need[j] += 0\n",
        ("tests/test_witness.py::test_what_the_definition_cannot_reach_is_counted",),
    ),
    Fault(
        "witness_is_never_drawn",
        "No sample is chosen for the witness, which then has nothing to say against any.",
        "fpstudy/measurement.py",
        "    rows = np.flatnonzero(chosen).tolist()\n",
        "    rows = np.flatnonzero(chosen & False).tolist()\n",
        (LARGE,),
    ),
    Fault(
        "every_problem_but_the_last_witnessed",
        "Of a large study some problem is never witnessed: no sample is sure to be.",
        "fpstudy/measurement.py",
        "    chosen[0] |= demand in task.sure\n",
        "",
        (LARGE,),
    ),
    Fault(
        "disagreements_are_not_failures",
        "What the witness disagrees on is written down, and the run succeeds.",
        "fpstudy/flow.py",
        '[*self.manifest["witness"]["disagreements"], *self.manifest["violations"]]',
        '[*self.manifest["violations"]]',
        ("tests/test_flow.py::test_a_wrong_truth_fails_the_run",),
    ),
    Fault(
        "weights_of_other_logits",
        "Exponentials are remembered by the sum of their logits, and given to other logits of the"
        " same sum.",
        "fpstudy/arithmetic/double_double_arrays.py",
        "        if known is not None and np.array_equal(known[0].hi, x.hi):\n",
        "        if known is not None:\n",
        ("tests/test_double_double.py::test_equal_logits_share_their_exponentials",),
    ),
    Fault(
        "yardstick_of_another_format",
        "The truth as it is scored in one format is kept for all formats.",
        "fpstudy/measurement.py",
        "        return self._yardsticks[f]\n",
        "        return next(iter(self._yardsticks.values()))\n",
        ("tests/test_yardstick.py::test_of_a_large_truth_the_yardsticks_of_one_format_are_kept",),
    ),
    Fault(
        "stale_record_of_another_seed",
        "The key of a finished record leaves out the seed.",
        "fpstudy/flow.py",
        'exclude={"path", "text"}',
        'exclude={"path", "text", "seed"}',
        (f"{ANEW}[other_seed]",),
    ),
    Fault(
        "stale_record_of_another_selection",
        "The key of a finished record leaves out what was selected of the study.",
        "fpstudy/flow.py",
        "    parts = [study_hash(study), selection, whence]\n",
        "    parts = [study_hash(study), whence]\n",
        (f"{ANEW}[other_selection]",),
    ),
    Fault(
        "stale_record_of_other_sources",
        "The key of a finished record leaves out fpstudy's sources, so a corrected formula is not"
        " run.",
        "fpstudy/execution/origin.py",
        "        digest.update(hashlib.sha256(file.read_bytes()).digest())\n",
        "        digest.update(file.name.encode())\n",
        (f"{ANEW}[other_sources]",),
    ),
    Fault(
        "stale_record_of_other_packages",
        "The key of a finished record leaves out the versions of the packages.",
        "fpstudy/execution/origin.py",
        'parts = [self.where["environment"], self.where["versions"], self.sources, self.code]',
        'parts = [self.where["environment"], self.sources, self.code]',
        (f"{ANEW}[newer_packages]",),
    ),
    Fault(
        "stale_record_of_another_file",
        "The key of a finished record leaves out what a file of logits holds.",
        "fpstudy/flow.py",
        "        digest.update(file_logits(file).sha256.encode())\n",
        "        digest.update(file.name.encode())\n",
        (f"{ANEW}[other_logits]",),
    ),
    Fault(
        "stale_chunk_of_another_file",
        "The key of a chunk leaves out what a file of logits holds.",
        "fpstudy/chunks.py",
        "            files[file] = DIGEST(file.read_bytes()).hexdigest()\n",
        "            files[file] = DIGEST(file.name.encode()).hexdigest()\n",
        ("tests/test_chunks.py::test_keys_depend_on_whence_and_on_what_a_file_holds_not_where",),
    ),
    Fault(
        "stale_chunk_of_another_environment",
        "The key of a chunk leaves out sources, packages and environment.",
        "fpstudy/chunks.py",
        "    digest = DIGEST(whence.encode())\n",
        "    digest = DIGEST()\n",
        ("tests/test_chunks.py::test_keys_depend_on_whence_and_on_what_a_file_holds_not_where",),
    ),
    Fault(
        "stale_logits_of_a_changed_file",
        "The logits of a file are read once in a process, though the file has changed since.",
        "fpstudy/logit_files.py",
        "    return _kept(path, (now.st_ino, now.st_size, now.st_mtime_ns))\n",
        "    return _kept(path, ())\n",
        ("tests/test_logit_files.py::test_a_file_is_read_again_when_it_has_changed",),
    ),
    Fault(
        "damaged_chunk_believed",
        "A chunk's file is read without a look at its digest.",
        "fpstudy/chunks.py",
        "DIGEST(data[:-size]).digest() != data[-size:]",
        "False",
        ("tests/test_chunks.py::test_no_flipped_bit_and_no_lost_end_gives_a_number",),
    ),
    Fault(
        "damaged_record_believed",
        "A record is taken for that of the manifest without a look at its digest.",
        "fpstudy/manifest.py",
        '    check_digest(folder / RECORD, manifest["record_sha256"])\n',
        "",
        (f"{ANEW}[damaged_record]",),
    ),
    Fault(
        "damaged_summary_believed",
        "A table is made of a summary without a look at its digest.",
        "fpstudy/report_folder.py",
        "    check_digest(path, manifest.get(DIGESTS[SUMMARY]), ANEW)\n",
        "",
        ("tests/test_table.py::test_no_flipped_bit_of_a_report_gives_another_number",),
    ),
    Fault(
        "damaged_manifest_believed",
        "A manifest whose counts were changed is taken for what the run wrote.",
        "fpstudy/manifest.py",
        'if manifest.get("manifest_sha256") != _digest(manifest):',
        "if False:",
        (f"{ANEW}[changed_manifest]",),
    ),
)
