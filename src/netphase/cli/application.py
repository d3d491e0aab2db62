"""The ``netphase`` command: finds its commands, turns errors into sentences and exit codes."""

from __future__ import annotations

import codecs
import errno
import importlib
import os
import re
import sys
import warnings
from collections.abc import Sequence
from typing import Any

import click

from netphase.errors import (
    ArgumentError,
    FitError,
    MissingDependencyError,
    NetphaseError,
    StoreMismatchError,
)

COMMANDS = (
    "diagram",
    "where",
    "kernel",
    "train",
    "directions",
    "condense",
    "quench",
    "timescales",
    "plateaus",
    "reproduce",
    "show",
    "info",
)
"""Names of the commands, in the order of the help; each is a module of this package."""

SUCCESS, FAILED, WRONG_INPUT, INCOMPLETE, DEFECT, INTERRUPTED = 0, 1, 2, 3, 70, 130
"""Exit codes; `EPILOG` says when each is used."""

HELP = """In which regime does a neural network train: linear, critical or condensed?

\b
Examples:
  netphase diagram                 the phase diagram of Luo et al. 2021, Fig. 4
  netphase where --init he         where an initialisation sits
  netphase train --gamma 1.75      train one network and look at it
  netphase COMMAND --help          all options of a command
"""

EPILOG = """\b
Exit codes:
  0    success
  1    a tested claim was not reproduced, or a file could not be read or written
  2    wrong input: an option, a data file, or a store that belongs to another sweep
  3    finished, but some runs did not reach the target loss
  70   a defect in netphase (set NETPHASE_DEBUG=1 to see where)
  130  interrupted

\b
With --json a command prints exactly one JSON document on standard output;
progress, warnings and errors always go to standard error.
"""


class InterruptedRun(click.ClickException):
    """Ctrl-C, with a sentence on what was kept and how to go on."""

    exit_code = INTERRUPTED


class Application(click.Group):
    """A group that imports a command's module only when it is needed."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002
        """Names of the commands."""
        return list(COMMANDS)

    def get_command(
        self,
        ctx: click.Context,  # noqa: ARG002
        cmd_name: str,
    ) -> click.Command | None:
        """The command of a name, or None."""
        if cmd_name not in COMMANDS:
            return None
        module = importlib.import_module(f"netphase.cli.{cmd_name}")
        command: click.Command = module.command
        return command

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """The command that was asked for; an unknown name lists the known ones."""
        try:
            return super().resolve_command(ctx, args)
        except click.UsageError as error:
            raise click.UsageError(
                f"There is no command {args[0]!r}; the commands are {', '.join(COMMANDS)}.", ctx
            ) from error

    def main(
        self,
        args: Sequence[str] | None = None,
        prog_name: str | None = None,
        complete_var: str | None = None,
        standalone_mode: bool = True,
        **extra: Any,
    ) -> Any:
        """Run the command line; in standalone mode, errors become sentences and exit codes."""
        if not standalone_mode or os.environ.get("NETPHASE_DEBUG", "") not in ("", "0"):
            return super().main(args, prog_name, complete_var, standalone_mode, **extra)
        _write_any_character()
        with warnings.catch_warnings():
            warnings.showwarning = _show_warning
            code = self._guarded(args, prog_name, complete_var, extra)
        sys.exit(code)

    def _guarded(
        self,
        args: Sequence[str] | None,
        prog_name: str | None,
        complete_var: str | None,
        extra: dict[str, Any],
    ) -> int:
        """Run and return the exit code."""
        try:
            code = super().main(args, prog_name, complete_var, False, **extra)
        except click.Abort:
            return _refuse("Interrupted; nothing was saved.", INTERRUPTED)
        except click.ClickException as error:
            return _refuse(error.format_message(), error.exit_code)
        except (ArgumentError, StoreMismatchError, FitError, MissingDependencyError) as error:
            return _refuse(as_option(str(error)), WRONG_INPUT)
        except NetphaseError as error:
            return _refuse(str(error), FAILED)
        except MemoryError:
            return _refuse(
                "There is not enough memory: use smaller widths, fewer samples or fewer workers.",
                FAILED,
            )
        except OSError as error:
            return _refuse(_os_sentence(error), FAILED)
        except Exception as error:
            return _refuse(
                f"netphase has a defect ({type(error).__name__}: {error}); set NETPHASE_DEBUG=1 to "
                "see where, and please report it.",
                DEFECT,
            )
        return code if isinstance(code, int) else SUCCESS


OPTION_OF = {
    "width": "--width",
    "widths": "--widths",
    "mean_square": "--tolerance",
    "tolerance": "--accuracy",
    "rtol": "--accuracy",
    "initialisation": "--init",
    "d": "--inputs",
    "factors": "--scale-range",
    "source": "--data",
    "path": "--data",
    "key": "KEY",
    "epsilons": "--epsilon",
    "jobs": "--workers",
    "figures": "--figure",
    "scales": "scales",  # no option of its own: --init, --g, --beta and others set it
    "k": "k",  # these three are set within --target
    "units": "units",
    "support": "support",
}
"""What sets an argument of the library, where it is not an option of the same name."""


def as_option(sentence: str) -> str:
    """A sentence that starts with an argument of the library, said of the option that sets it."""

    def option(match: re.Match[str]) -> str:
        name = OPTION_OF.get(match[1], "--" + match[1].replace("_", "-"))
        return f"{'Option' if name.startswith('-') else 'Argument'} {name}"

    return re.sub(r"^Argument `(\w+)`", option, sentence)


def _refuse(sentence: str, code: int) -> int:
    """Say why the command failed, on one line of standard error."""
    click.echo(f"Error: {' '.join(sentence.split())}", err=True)
    return code


def _os_sentence(error: OSError) -> str:
    """An error of the operating system in words, with the file it is about."""
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        where = f" that holds {error.filename}" if error.filename else ""
        return f"The disk{where} is full: free some space and run the same command again."
    reason = error.strerror or str(error) or type(error).__name__
    return f"{error.filename}: {reason}." if error.filename else f"{reason}."


SPELLINGS = {
    "−": "-",
    "–": "-",
    "±": "+-",
    "≤": "<=",
    "≥": ">=",
    "×": "x",
    "·": "*",
    "′": "'",
    "√": "sqrt",
    "Σ": "Sum",
    "▽": "v",
    "▲": "^",
}
"""What stands for a sign in ASCII, where it is neither a Greek letter nor one with an ornament."""


def _write_any_character() -> None:
    """Spell out what the encoding of standard output or error lacks, such as Greek letters."""
    codecs.register_error("spelt", spelt)
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="spelt")


def spelt(error: UnicodeError) -> tuple[str, int]:
    """A handler of encoding errors: "γ" becomes "gamma", "−" becomes "-", others "?".

    Args:
        error: what the codec could not encode.

    Returns:
        What to write instead, and where to go on.

    Raises:
        UnicodeError: the error is not one of encoding.
    """
    if not isinstance(error, UnicodeEncodeError):
        raise error
    replaced = (_spelt_character(c) for c in error.object[error.start : error.end])
    return "".join(replaced), error.end


def _spelt_character(character: str) -> str:
    """One character in ASCII."""
    import unicodedata

    name = unicodedata.name(character, "")
    if name.startswith("GREEK SMALL LETTER "):
        return name.split()[-1].lower()
    base = unicodedata.normalize("NFKD", character).encode("ascii", "ignore").decode()
    return SPELLINGS.get(character) or base or "?"


def _show_warning(message: Warning | str, *_: Any, **__: Any) -> None:
    """Show a Python warning as one line of standard error."""
    click.echo(f"Warning: {' '.join(str(message).split())}", err=True)


def _print_version(ctx: click.Context, _: click.Parameter, wanted: bool) -> None:
    """Print the version and leave."""
    if not wanted or ctx.resilient_parsing:
        return
    from importlib.metadata import version

    click.echo(f"netphase {version('netphase')}")
    ctx.exit()


@click.group(
    cls=Application,
    help=HELP,
    epilog=EPILOG,
    invoke_without_command=True,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 96},
)
@click.option(
    "--version",
    is_flag=True,
    is_eager=True,
    expose_value=False,
    callback=_print_version,
    help="Print the version and exit.",
)
@click.pass_context
def main(ctx: click.Context) -> None:
    """Show the help where no command is given."""
    if ctx.invoked_subcommand is None:
        click.echo(ctx.get_help())
