"""Tables in Markdown that also read well in a terminal: columns are padded."""

from collections.abc import Sequence


def table(header: Sequence[str], rows: Sequence[Sequence[object]]) -> str:
    """A Markdown table; all columns but the first are set to the right where they hold figures."""
    texts = [[str(cell).replace("|", "\\|") for cell in row] for row in (header, *rows)]
    widths = [max(map(len, column)) for column in zip(*texts, strict=True)]
    right = [j > 0 and all(_is_figure(row[j]) for row in texts[1:]) for j in range(len(header))]

    def line(cells: Sequence[str]) -> str:
        padded = [
            cell.rjust(width) if to_right else cell.ljust(width)
            for cell, width, to_right in zip(cells, widths, right, strict=True)
        ]
        return f"| {' | '.join(padded)} |"

    rule = [
        "-" * (width - 1) + (":" if to_right else "-")
        for width, to_right in zip(widths, right, strict=True)
    ]
    return "\n".join([line(texts[0]), line(rule), *map(line, texts[1:])])


def _is_figure(cell: str) -> bool:
    return cell[:1].isdigit() or cell in ("", "-")
