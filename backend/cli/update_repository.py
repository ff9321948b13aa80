"""Commands of the repository that tills fetch updates from: begun, added to, kept fresh."""

import tempfile
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import click

from backend.adapters import update_bundle, update_repository
from backend.adapters.update_repository import Keys
from backend.cli.connection import json_option, json_text, moment
from backend.devices.updates.model import Release
from backend.key_files import signing_key
from backend.usecases.offer_update import check_release

folder_type = click.Path(file_okay=False, path_type=Path)
file_type = click.Path(exists=True, dir_okay=False, path_type=Path)
repository_option = click.option(
    "--repository",
    required=True,
    type=folder_type,
    help="更新仓库文件夹，由网站服务器提供 / the folder that is served.",
)
online_key_option = click.option(
    "--online-key", required=True, type=file_type, help="签署 snapshot 和 timestamp 的私钥 / the online key."
)


def release_options(function: Callable[..., None]) -> Callable[..., None]:
    """What a target is, as it is signed and as it is offered."""
    for option in (
        click.option(
            "--min-version", default="0", show_default=True, help="可由哪个版本起升级 / oldest it may follow."
        ),
        click.option("--hardware", multiple=True, required=True, help="适用硬件，可多次 / what it is for, repeatable."),
        click.option("--version", required=True, help="版本号，如 1.3.0 / its version, numbers and dots."),
        click.option("--target", required=True, help="更新包名称，如 till-1.3.0.tar / name of the target."),
    ):
        function = option(function)
    return function


@click.command()
@repository_option
@click.option(
    "--keys", required=True, type=folder_type, help="密钥文件夹；缺少的密钥将新建 / folder of keys, made if missing."
)
def init(repository: Path, keys: Path) -> None:
    """建立更新仓库及其密钥 / begins a repository.

    root 与 targets 私钥须离线保存；把 root.json 随终端一起安装。

    Keep the keys of root and targets offline; install root.json with each till.
    """
    made = update_repository.make_keys(keys)
    root = update_repository.create(repository, _keys(keys), datetime.now(UTC))
    for path in made:
        click.echo(f"新密钥 / new key：{path}")
    click.echo(f"更新仓库已建立，终端需安装 / tills need：{root}")


@click.command()
@repository_option
@release_options
@click.option(
    "--wheels", type=click.Path(exists=True, file_okay=False, path_type=Path), help="wheel 文件夹 / a wheelhouse."
)
@click.option("--bundle", type=file_type, help="已打好的更新包，代替 --wheels / a bundle, in place of --wheels.")
@click.option(
    "--targets-key", required=True, type=file_type, help="签署 targets 的离线私钥 / the offline key of targets."
)
@online_key_option
@json_option
def publish(
    *,
    repository: Path,
    target: str,
    version: str,
    hardware: tuple[str, ...],
    min_version: str,
    wheels: Path | None,
    bundle: Path | None,
    targets_key: Path,
    online_key: Path,
    as_json: bool,
) -> None:
    """打包、签名并发布一个版本 / bundles, signs and publishes a release.

    发布后终端不会自行更新，须另行下发（updates offer）。

    Published, it is offered to nobody yet.
    """
    if (wheels is None) == (bundle is None):
        raise click.UsageError("--wheels 或 / or --bundle")
    check_release(target, version, hardware, min_version)
    release = Release(target, version, hardware, min_version)
    with tempfile.TemporaryDirectory() as folder:
        packed = bundle or Path(folder) / "bundle.tar"
        if wheels is not None:
            update_bundle.pack(wheels, packed)
        published = update_repository.publish(
            repository, packed, release, _key(targets_key), _key(online_key), datetime.now(UTC)
        )
    if as_json:
        click.echo(json_text(published._asdict()))
    else:
        click.echo(f"已发布 {target}（{version}）{published.length_bytes} 字节，SHA-256 {published.sha256}")


@click.command()
@repository_option
@online_key_option
def refresh(repository: Path, online_key: Path) -> None:
    """重新签署时间戳，须每日运行 / signs the timestamp anew; run it daily.

    14 天未签署，终端将不再相信此仓库。

    Tills stop believing a repository that was not signed for 14 days.
    """
    until = update_repository.refresh(repository, _key(online_key), datetime.now(UTC))
    click.echo(f"更新仓库有效至 / good until {moment(until)}")


@click.command()
@repository_option
@click.option("--keys", required=True, type=folder_type, help="现用密钥文件夹 / folder of the keys in use.")
@click.option(
    "--new-keys",
    type=folder_type,
    default=None,
    help="换用的新密钥，缺少则新建 / keys to change to, made if missing.",
)
def renew(repository: Path, keys: Path, new_keys: Path | None) -> None:
    """续签 root 与 targets 一年，可同时更换密钥 / another year for root and targets, by other keys if wanted.

    每年须做一次；终端自动跟上，不必重装。

    Once a year at least; tills follow by themselves.
    """
    for path in [] if new_keys is None else update_repository.make_keys(new_keys):
        click.echo(f"新密钥 / new key：{path}")
    now = datetime.now(UTC)
    root = update_repository.renew(repository, _keys(keys), _keys(new_keys or keys), now)
    click.echo(f"已续签 / renewed：{root.name}")


def _keys(folder: Path) -> Keys:
    return Keys(*(_key(folder / f"{role}.pem") for role in update_repository.ROLES))


def _key(path: Path) -> update_repository.Signer:
    try:
        return signing_key(path)
    except (OSError, ValueError):
        raise click.BadParameter(f"{path}: 不是 Ed25519 私钥 / not an Ed25519 private key") from None
