import io
import shutil
import sys
import tempfile
import zipfile
from pathlib import Path

from snakemake.exceptions import WorkflowError


def package_folder(source, within=".snakemake/refusal-parity"):
    """Folder from which the package is imported.

    It lies beside the workflow. Where another workflow uses this one from a
    hosting service, Snakemake fetches rules and scripts one by one, but no
    package: that is taken out of Snakemake's clone of the repository, and the
    starter labels with it.
    """
    if not hasattr(source, "hosted_repo"):
        return (Path(str(source)) / "lib").resolve()
    repository = source.hosted_repo.repo
    commit = repository.commit(source.ref).hexsha
    folder = Path(within).absolute() / commit
    if not folder.exists():
        folder.parent.mkdir(parents=True, exist_ok=True)
        taken = Path(tempfile.mkdtemp(dir=folder.parent))
        archive = io.BytesIO()
        repository.archive(
            archive,
            commit,
            path=[f"{source.path}/lib", "data/gold/starter"],
            format="zip",
        )
        with zipfile.ZipFile(archive) as package:
            package.extractall(taken)
        try:
            taken.rename(folder)
        except OSError:  # another process was first
            shutil.rmtree(taken)
    return folder / source.path / "lib"


# Snakemake fills in the paths of scripts, which lie beside the rules.
if set("{}") & set(str(workflow.current_basedir)):
    raise WorkflowError(
        f"{workflow.current_basedir}: Snakemake takes what stands between braces for a part "
        "of the path that it has to fill in. Move the project to a folder without them."
    )

# Used in this process and in every job.
sys.path.insert(0, str(package_folder(workflow.current_basedir.join(".."))))
from refusal_parity.repository import share_package

share_package()
