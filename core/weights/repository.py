"""A repository's tree at its commit, with the submodules that are named, each at the commit that the tree names.

`models/<name>/` is a checkout without history; nothing of it is run here. What git has checked against a commit is
what that commit names, wherever it came from: a mirror or an offline folder needs no trust.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urljoin, urlsplit

from core.errors import ConfigurationError, StorageError
from core.weights.fetching import Progress, SourceAway, Way, WeightsWrong
from core.weights.folder import Record, hashed
from core.weights.git import Git, GitFailed
from core.weights.kept import InFolder
from core.weights.manifest import Repository, Weights
from core.weights.paths import PART, RECORD, STAMP, checked_path
from core.weights.sources import File

_SILENCES = 5
"""A server that packs a tree says nothing for a while: so many times a server's patience."""
_ABSENT = ("not our ref", "unadvertised object", "couldn't find remote ref", "Cannot obtain needed", "bad object")
_WEB = ("https", "http")


@dataclass(frozen=True)
class _Tree:
    """One repository of the entry: where it lies, what of it, and where it comes from (a URL, or a folder's path)."""

    folder: Path
    path: str
    commit: str
    url: str


class RepositoryFetcher(InFolder):
    """With git. offline: `<offline>/<name>/`, a checkout that has the commit; mirror: `<mirror>/<name>/.git`, which
    any web server can give of a folder that was fetched here."""

    def __init__(self, weights: Weights, way: Way) -> None:
        super().__init__(weights, way)
        if not isinstance(weights.source, Repository):
            raise TypeError(f"{weights.name} is no repository")
        self._source: Repository = weights.source
        self._protocols = (*_WEB, "file") if way.offline is not None else _WEB

    @property
    def revision(self) -> str:
        return self._source.commit

    def size(self) -> int:
        have = (
            self._git(self.folder).succeeds("cat-file", "-e", f"{self.revision}^{{commit}}") if self._begun else False
        )
        return 0 if have else self.weights.bytes or 0

    def fetch(self, progress: Progress) -> Record:
        try:
            whole = _Tree(self.folder, "", self.revision, self._origin())
            self._bring(whole, progress)
            for path in self._source.submodules:
                self._bring(self._submodule(whole, path), progress)
            return Record(self.revision, tuple(self._files()))
        except GitFailed as error:
            raise StorageError(f"{self.folder}: {error}") from error
        except OSError as error:
            raise StorageError(f"{self.folder}: {error.strerror or error}") from error

    def verify(self, progress: Progress) -> list[str]:
        """Also what git sees: another commit, changed files, files that are not of the repository."""
        wrong = super().verify(progress)
        if not self._begun:
            return [*wrong, f"{self.weights.name}: {self.folder} is no git checkout"]
        try:
            git = self._git(self.folder)
            commit = git("rev-parse", "HEAD").strip()
            changed = git("status", "--porcelain", "--ignore-submodules=none").splitlines()
        except (GitFailed, StorageError) as error:
            return [*wrong, f"{self.weights.name}: {error}"]
        if commit != self.revision:
            wrong.append(f"{self.weights.name}: commit {commit}, not {self.revision}")
        if changed:
            more = f" and {len(changed) - 1} more" if len(changed) > 1 else ""
            wrong.append(f"{self.weights.name}: {changed[0][3:]} was changed{more}")
        return wrong

    @property
    def _begun(self) -> bool:
        return (self.folder / ".git").is_dir()

    def _git(self, folder: Path) -> Git:
        return Git(folder, self._protocols, self.way.patience_s * _SILENCES)

    def _origin(self) -> str:
        """Raises ConfigurationError."""
        if self.way.offline is not None:
            folder = self.way.offline / self.weights.name
            if not folder.is_dir() or not self._git(folder).succeeds("rev-parse", "--git-dir"):
                raise ConfigurationError(f"{self.way.offline} has no git checkout {self.weights.name}")
            return str(folder.resolve())
        if self.way.mirror is not None:
            return f"{self.way.mirror}/{self.weights.name}/.git"
        return self._source.url

    def _bring(self, tree: _Tree, progress: Progress) -> None:
        git = self._git(tree.folder)
        shown = f"{self.weights.name}/{tree.path}" if tree.path else self.weights.name
        tree.folder.mkdir(parents=True, exist_ok=True)
        git("init", "--quiet", "--template=")
        (tree.folder / ".git" / "info").mkdir(exist_ok=True)
        ours = (f"/{RECORD}", f"/{RECORD}.*", f"*{PART}", f"*{STAMP}", "__pycache__/")
        (tree.folder / ".git" / "info" / "exclude").write_text("".join(f"{line}\n" for line in ours), encoding="utf-8")
        if not git.succeeds("cat-file", "-e", f"{tree.commit}^{{tree}}"):
            progress.begin(shown, None)
            self._receive(git, tree, progress)
        try:
            git("checkout", "--quiet", "--force", "--detach", tree.commit)
            git("clean", "--quiet", "-ffd")
            git("update-server-info")
        except GitFailed as error:
            raise WeightsWrong(f"{shown}: {error}") from error

    def _receive(self, git: Git, tree: _Tree, progress: Progress) -> None:
        """The commit alone where the server gives it; else all that the server has; else file by file, as from a web
        server that knows nothing of git. Raises SourceAway, WeightsWrong."""
        shallow = tree.folder / ".git" / "shallow"
        fetch = ("fetch", "--progress", "--no-tags", "--no-write-fetch-head")
        refs = "+refs/*:refs/remotes/origin/*"
        tries = ((*fetch, "--depth=1", "--", tree.url, tree.commit), (*fetch, "--", tree.url, refs),
                 (*fetch, "--", tree.url, tree.commit))  # fmt: skip
        said = []
        for count, arguments in enumerate(tries, 1):
            if count == len(tries):
                # git then asks for no parents of the commit, which a checkout without history doesn't have either.
                shallow.write_text(f"{tree.commit}\n", encoding="utf-8")
            try:
                git.tell(progress.advance, *arguments)
                if git.succeeds("cat-file", "-e", f"{tree.commit}^{{tree}}"):
                    return
                said.append(f"{tree.url} has no commit {tree.commit}")
            except GitFailed as error:
                said.append(str(error))
        shallow.unlink(missing_ok=True)
        raise self._refusal(tree, said)

    def _refusal(self, tree: _Tree, said: list[str]) -> WeightsWrong | SourceAway:
        """What all tries together tell: the source is there and lacks the commit, or it is away."""
        if any(text.endswith(f"has no commit {tree.commit}") or any(word in text for word in _ABSENT) for text in said):
            return WeightsWrong(f"{self.weights.name}: {tree.url} has no commit {tree.commit}")
        return SourceAway(f"{self.weights.name}: {tree.url}: {said[0]}; {SourceAway.__doc__}")

    def _submodule(self, whole: _Tree, path: str) -> _Tree:
        """Raises WeightsWrong for what the commit names no submodule."""
        git = self._git(whole.folder)
        row = git("ls-tree", "-z", whole.commit, "--", path).rstrip("\0")
        mode, _, rest = row.partition(" ")
        commit = rest.partition(" ")[2].partition("\t")[0]
        if mode != "160000":
            raise WeightsWrong(f"{self.weights.name}: {path} is no submodule of commit {whole.commit}")
        return _Tree(whole.folder / path, path, commit, self._submodule_url(git, whole, path))

    def _submodule_url(self, git: Git, whole: _Tree, path: str) -> str:
        if self.way.offline is not None:
            return str((Path(whole.url) / path).resolve())
        if self.way.mirror is not None:
            return f"{self.way.mirror}/{self.weights.name}/{path}/.git"
        said = _modules(git, whole.commit)
        names = [key.removesuffix(".path") for key, told in said.items() if key.endswith(".path") and told == path]
        url = said.get(f"{names[0]}.url", "") if names else ""
        if url.startswith(("./", "../")):
            url = urljoin(f"{whole.url.rstrip('/')}/", url)
        if urlsplit(url).scheme not in _WEB:
            raise WeightsWrong(f"{self.weights.name}: the submodule {path} has no web address")
        return url

    def _files(self) -> Iterator[File]:
        """All that git keeps, but links and names that no record may have."""
        for folder in ("", *self._source.submodules):
            for name in self._git(self.folder / folder)("ls-files", "-z").split("\0"):
                path = f"{folder}/{name}" if folder else name
                if name and _fit(path) and (self.folder / path).is_file() and not (self.folder / path).is_symlink():
                    yield hashed(self.folder, path)


def _modules(git: Git, commit: str) -> dict[str, str]:
    """What the commit's .gitmodules says, by key; empty where there is none."""
    try:
        listing = git("config", "--blob", f"{commit}:.gitmodules", "--null", "--get-regexp", r"^submodule\..*")
    except GitFailed:
        return {}
    return dict(row.partition("\n")[::2] for row in listing.split("\0") if row)


def _fit(path: str) -> bool:
    try:
        checked_path(path)
    except ValueError:
        return False
    return path.isprintable()
