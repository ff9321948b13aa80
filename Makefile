# Green Points. `make help` lists the targets; everything is set up on first use.
MAKEFLAGS += --no-print-directory
PYTHON ?= python3
BIN := .venv/bin
# make run ONCE=1 ends after the table; YEAR=1 first makes a year of data; STATE=/srv/greenpoints keeps the data elsewhere; ARGS are handed on.
STATE_OPTION := $(if $(STATE),--state $(STATE))

# Where it is set, as images of containers do, each of our programs compiles all that it imports whenever it starts.
unexport PYTHONDONTWRITEBYTECODE

.DEFAULT_GOAL := help
.PHONY: help setup setup-test setup-check setup-bench run test screenshots check bench reset lock python

help:  ## 列出命令 / this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-11s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

run: setup  ## 启动整个系统与演示城市，Ctrl-C 停止；ONCE=1 演示后结束 / start everything, stop with Ctrl-C
	@exec $(BIN)/python -m backend.demo $(if $(ONCE),--once) $(if $(YEAR),--year) $(STATE_OPTION) $(ARGS)

test: setup-test  ## 运行全部测试 / all tests; says which could not run and why
	@exec $(BIN)/python -m pytest -n 4 --dist worksteal -q -m "not bench" $(ARGS)

screenshots: setup-test  ## 重拍控制台各页面的图片 / the pictures of docs/console.md anew
	@fc-list :lang=zh 2>/dev/null | grep -q . || { \
	  echo "没有中文字体，图片中的文字会是方框。请先安装：apt-get install fontconfig fonts-noto-cjk chromium-l10n"; \
	  echo "No Chinese font: the pictures would show boxes for words. Install fontconfig, fonts-noto-cjk and chromium-l10n first."; exit 1; }
	@exec $(BIN)/python -m pytest -q tests/http/console/test_pages_browser.py --screenshots

check: setup-check  ## 检查风格、类型与分层 / lint, types, layers
	@$(BIN)/ruff check -q .
	@$(BIN)/ruff format -q --check .
	@$(BIN)/python -m mypy --no-error-summary
	@$(BIN)/lint-imports --no-cache > .tools/lint-imports.log || { cat .tools/lint-imports.log; exit 1; }
	@echo "风格、类型、分层均通过 / style, types and layers hold"

bench: setup-bench  ## 性能与基准的比值 / ratios to the measured floors
	@exec $(BIN)/python -m tests.bench $(ARGS)

reset: python  ## 清除演示数据 / clear the data that make run keeps
	@$(PYTHON) -m backend.demo.reset $(STATE_OPTION)

lock: setup-check  ## 重新生成 requirements.lock / resolve the dependencies anew
	@.tools/uv/bin/uv pip compile --quiet pyproject.toml --all-extras --group dev --generate-hashes \
	  --no-emit-index-url --no-header --python-version 3.11 -o requirements.lock

setup: python  ## 只做准备，不启动 / only set up
	@$(PYTHON) -m backend.demo.prepare run

setup-test: python
	@$(PYTHON) -m backend.demo.prepare test

setup-check: python
	@$(PYTHON) -m backend.demo.prepare check

setup-bench: python
	@$(PYTHON) -m backend.demo.prepare bench

python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null || { \
	  echo "需要 Python 3.11 或更新版本 / Python 3.11 or newer is needed: make run PYTHON=/path/to/python3.11"; exit 1; }
