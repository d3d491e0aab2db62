"""Files are written whole or not at all."""

import errno

import pytest

from netphase._files import replacing, write_whole


def test_a_file_is_replaced_and_no_draft_stays(tmp_path):
    path = tmp_path / "a.json"
    for content in ("first", b"second"):
        write_whole(path, content)
    assert path.read_text() == "second"
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize("kind", ["file", "folder"])
def test_a_full_disk_leaves_what_was_there_and_names_the_file(tmp_path, kind):
    path = tmp_path / "run"
    path.write_text("old")

    def fill():
        with replacing(path) as draft:
            if kind == "folder":
                draft.mkdir()
                (draft / "chunk").write_text("half")
            else:
                draft.write_text("half")
            raise OSError(errno.ENOSPC, "No space left on device")

    with pytest.raises(OSError, match="No space left") as caught:
        fill()
    assert caught.value.filename == str(path)
    assert path.read_text() == "old"
    assert list(tmp_path.iterdir()) == [path]


def test_a_folder_that_is_not_there_is_an_error_of_the_file(tmp_path):
    with pytest.raises(FileNotFoundError) as caught:
        write_whole(tmp_path / "nowhere" / "a.txt", "text")
    assert caught.value.filename == str(tmp_path / "nowhere" / "a.txt")
