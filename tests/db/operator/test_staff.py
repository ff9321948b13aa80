"""`greenpoints staff`: the first manager of a retailer, and who is there."""

from backend.officials.model import Role
from tests.db.operator.typed import Run, add_store, done, listed, refused

NEW = ("staff", "add", "lin.yue", "--city", "320100", "--name", "林悦")


def test_a_retailers_first_manager_is_made_by_a_command(run: Run) -> None:
    add_store(run, retailer="示例超市")

    password = done(run(*NEW, "--retailer", "示例超市")).strip()

    assert len(password) == 20
    (one,) = listed(run, "staff", "--city", "320100", "--retailer", "示例超市")
    assert (one["login"], one["role"], one["retailer"]) == ("lin.yue", Role.SHOPKEEPER, "示例超市")
    assert "lin.yue  林悦  商户管理员  示例超市" in run("staff", "list", "--city", "320100").output
    assert "lin.yue" not in run("officials", "list", "--city", "320100").output


def test_a_retailer_without_a_shop_gets_nobody(run: Run) -> None:
    assert refused(run(*NEW, "--retailer", "示例超市")).code == "retailer-unknown"
