"""The certificate registry, so that a label can be looked up as of its sale, as known then and as known now.

Its history is append-only by grants: the engine may add rows and raise the version, nobody may change or delete one.
Schemes, and the issuers whose numbers no body could be derived from, come with the schema: a scheme says what its
label proves and what a policy may pay at most, and is changed by a migration, with a document.
"""

from datetime import date

import sqlalchemy as sa
from alembic import op

revision = "0002_registry"
down_revision = "0001_roles"
branch_labels = None
depends_on = None

HISTORY = (
    "import_batches",
    "registry_changes",
    "bodies",
    "enterprises",
    "certificates",
    "certificate_terms",
    "certificate_states",
    "certified_products",
    "recognitions",
)
READERS = ("greenpoints_engine", "greenpoints_console", "greenpoints_auditor")

# code, Chinese name, English name, level, ceiling, activity of the China Green Product rule, tiers, in force since
# (where known), document. The ceiling is what a percentage of the price may be at most, in basis points, by what the
# label proves: a unit or a model 100 %, an enterprise 50 %, the maker's own word 20 %. A label that only informs, or
# that may not be used in public, supports no award.
SCHEMES = """
china_green_product | 绿色产品认证 | China Green Product | M | 10000 | 1 | - | 2019-06-01 | 绿色产品标识使用管理办法，市场监管总局公告2019年第20号
green_product_attribute | 绿色属性产品认证 | Green product, partial attributes | M | 10000 | 2 | - | 2019-06-01 | 绿色产品标识使用管理办法，市场监管总局公告2019年第20号
green_product_declared | 绿色属性自我声明 | Green product, self-declared | S | 2000 | 3 | - | 2019-06-01 | 绿色产品标识使用管理办法，市场监管总局公告2019年第20号
green_building_material | 绿色建材产品认证 | Green building material | M | 10000 | 2 | 3 | 2019-06-01 | 绿色产品标识使用管理办法，市场监管总局公告2019年第20号
green_packaging | 快递包装绿色产品认证 | Green courier packaging | M | 10000 | 1 | - | 2020-10-30 | 市场监管总局、国家邮政局公告2020年第47号
organic | 有机产品认证 | Organic product | U | 10000 | - | - | 2012-03-01 | 有机产品认证管理办法；认监委公告2019年第21号
organic_conversion | 有机转换认证 | Organic conversion | U | 0 | - | - | 2012-03-01 | 有机产品认证管理办法；认监委公告2019年第21号
green_food | 绿色食品 | Green Food | M | 10000 | - | - | 2009-08-01 | 绿色食品标志管理办法
geographical_indication | 地理标志产品 | Geographical indication | E | 5000 | - | - | 2019-10-16 | -
gap | 良好农业规范认证 | Good agricultural practice | E | 5000 | - | - | - | -
energy_label | 能源效率标识 | China Energy Label | M | 10000 | - | - | 2016-06-01 | 能源效率标识管理办法
water_label | 水效标识 | China Water Efficiency Label | M | 10000 | - | - | 2018-03-01 | 水效标识管理办法
energy_saving | 节能产品认证 | Energy-saving product | M | 10000 | - | - | - | -
water_saving | 节水产品认证 | Water-saving product | M | 10000 | - | - | - | -
low_carbon | 低碳产品认证 | Low-carbon product | M | 10000 | - | - | - | -
environmental_label | 中国环境标志产品认证 | China Environmental Labelling | M | 10000 | - | - | - | -
carbon_footprint | 产品碳足迹标识认证 | Product carbon footprint | M | 0 | - | - | 2025-03-01 | 产品碳足迹标识认证通用实施规则（试行）
energy_leader | 能效领跑者 | Energy-efficiency front-runner | M | 10000 | - | - | 2016-06-01 | -
water_leader | 水效领跑者 | Water-efficiency front-runner | M | 10000 | - | - | 2018-03-01 | -
graded_certification | 分级认证 | Graded certification | M | 10000 | - | 3 | 2022-03-19 | 苏政办发〔2022〕21号
remanufactured | 再制造产品认证 | Remanufactured product | M | 10000 | - | - | 2022-03-19 | 苏政办发〔2022〕21号
jiangsu_premium | 江苏精品 | Jiangsu Premium | M | 10000 | - | - | 2020-09-20 | “江苏精品”认证管理办法
alliance | 联盟认证 | Alliance certification | S | 2000 | - | - | 2022-03-19 | 苏政办发〔2022〕21号
green_service | 绿色服务认证 | Green service | E | 5000 | - | - | 2022-03-19 | 苏政办发〔2022〕21号
fsc | FSC 森林认证 | FSC | E | 5000 | - | - | - | -
pefc | PEFC 森林认证 | PEFC | E | 5000 | - | - | - | -
eu_ecolabel | 欧盟生态标签 | EU Ecolabel | M | 10000 | - | - | - | Regulation (EC) No 66/2010
eu_energy_label | 欧盟能效标签 | EU energy label | M | 10000 | - | - | - | -
blue_angel | 德国蓝天使 | Blue Angel | M | 10000 | - | - | - | -
korea_ecolabel | 韩国环境标志 | Korea Eco-label | M | 10000 | - | - | - | -
energy_star | 能源之星 | Energy Star | M | 10000 | - | - | - | -
"""  # noqa: E501 - one scheme a line

SCHEME_COLUMNS: dict[str, type[sa.Text | sa.Integer | sa.Date]] = {
    "code": sa.Text,
    "name_zh": sa.Text,
    "name_en": sa.Text,
    "level": sa.Text,
    "max_rate_bp": sa.Integer,
    "activity": sa.Integer,
    "tiers": sa.Integer,
    "valid_from_on": sa.Date,
    "document": sa.Text,
}
BODY_COLUMNS = ("code", "serial", "name_zh", "name_en", "scope")
# approval number or short name, serial that stands in organic mark codes, Chinese name, English name, scope
BODIES = (
    ("CNCA-R-2002-001", "001", "中国质量认证中心", "China Quality Certification Centre", None),
    ("CNCA-R-2002-002", "002", "方圆标志认证集团有限公司", "China Quality Mark Certification Group", None),
    ("CNCA-R-2002-005", "005", "中国船级社质量认证有限公司", "CCS Certification", None),
    ("CNCA-R-2002-012", "012", "广州赛宝认证中心服务有限公司", "CEPREI Certification Body", None),
    ("CNCA-R-2003-104", "104", "山东世通质量认证有限公司", None, None),
    ("CNIS", None, "中国标准化研究院", "China National Institute of Standardization", "能效标识、水效标识备案"),
    ("CGFDC", None, "中国绿色食品发展中心", "China Green Food Development Center", "绿色食品标志许可"),
    ("CNIPA", None, "国家知识产权局", "China National Intellectual Property Administration", "地理标志专用标志"),
    ("FSC", None, "森林管理委员会", "Forest Stewardship Council", None),
    ("PEFC", None, "森林认证体系认可计划", "Programme for the Endorsement of Forest Certification", None),
    ("EU-ECOLABEL", None, "欧盟生态标签主管机构", "EU Ecolabel competent bodies", None),
    ("EPREL", None, "欧盟能效标签产品数据库", "European Product Registry for Energy Labelling", None),
    ("RAL", None, "德国质量保证与标识研究院", "RAL gGmbH", "德国蓝天使"),
    ("KEITI", None, "韩国环境产业技术院", "Korea Environmental Industry and Technology Institute", None),
    ("SELF", None, "企业自我声明", "Self-declaration of the enterprise", "自我声明，无认证机构"),
)


SOURCES = (
    r"""
CREATE TABLE registry_version (
    one BOOLEAN NOT NULL,
    version BIGINT NOT NULL,
    recorded_at TIMESTAMP WITH TIME ZONE NOT NULL,
    CONSTRAINT pk_registry_version PRIMARY KEY (one),
    CONSTRAINT ck_registry_version_one CHECK (one),
    CONSTRAINT ck_registry_version_version CHECK (version >= 0)
)
""",
    r"""
CREATE TABLE import_batches (
    id UUID NOT NULL,
    source TEXT NOT NULL,
    sha256 BYTEA NOT NULL,
    file_name TEXT NOT NULL,
    imported_at TIMESTAMP WITH TIME ZONE NOT NULL,
    imported_by TEXT NOT NULL,
    rows_changed INTEGER NOT NULL,
    rows_unchanged INTEGER NOT NULL,
    rows_refused INTEGER NOT NULL,
    CONSTRAINT pk_import_batches PRIMARY KEY (id),
    CONSTRAINT uq_import_batches_sha256 UNIQUE (sha256),
    CONSTRAINT ck_import_batches_source CHECK (length(source) BETWEEN 1 AND 100),
    CONSTRAINT ck_import_batches_file_name CHECK (length(file_name) BETWEEN 1 AND 255),
    CONSTRAINT ck_import_batches_imported_by CHECK (length(imported_by) BETWEEN 1 AND 100),
    CONSTRAINT ck_import_batches_sha256 CHECK (octet_length(sha256) = 32),
    CONSTRAINT ck_import_batches_rows CHECK (rows_changed >= 0 AND rows_unchanged >= 0 AND rows_refused >= 0)
)
""",
    r"""
CREATE TABLE registry_changes (
    version BIGINT NOT NULL,
    recorded_at TIMESTAMP WITH TIME ZONE NOT NULL,
    cause TEXT NOT NULL,
    batch UUID,
    recorded_by TEXT NOT NULL,
    reason TEXT,
    CONSTRAINT pk_registry_changes PRIMARY KEY (version),
    CONSTRAINT ck_registry_changes_version CHECK (version > 0),
    CONSTRAINT ck_registry_changes_cause CHECK (cause IN ('import', 'state', 'recognition')),
    CONSTRAINT ck_registry_changes_batch CHECK ((cause = 'import') = (batch IS NOT NULL)),
    CONSTRAINT ck_registry_changes_recorded_by CHECK (length(recorded_by) BETWEEN 1 AND 100),
    CONSTRAINT ck_registry_changes_reason CHECK (length(reason) BETWEEN 1 AND 500),
    CONSTRAINT fk_registry_changes_batch FOREIGN KEY(batch) REFERENCES import_batches (id)
)
""",
    r"""
CREATE TABLE schemes (
    code TEXT NOT NULL,
    name_zh TEXT NOT NULL,
    name_en TEXT NOT NULL,
    level VARCHAR(1) NOT NULL,
    max_rate_bp INTEGER NOT NULL,
    activity SMALLINT,
    tiers SMALLINT,
    valid_from_on DATE,
    valid_until_on DATE,
    successor TEXT,
    document TEXT,
    CONSTRAINT pk_schemes PRIMARY KEY (code),
    CONSTRAINT ck_schemes_code CHECK (code ~ '^[a-z][a-z0-9_]{1,39}$'),
    CONSTRAINT ck_schemes_name_zh CHECK (length(name_zh) BETWEEN 1 AND 100),
    CONSTRAINT ck_schemes_name_en CHECK (length(name_en) BETWEEN 1 AND 100),
    CONSTRAINT ck_schemes_level CHECK (level IN ('U', 'M', 'E', 'S')),
    CONSTRAINT ck_schemes_max_rate_bp CHECK (max_rate_bp BETWEEN 0 AND 10000),
    CONSTRAINT ck_schemes_activity CHECK (activity BETWEEN 1 AND 3),
    CONSTRAINT ck_schemes_tiers CHECK (tiers BETWEEN 1 AND 3),
    CONSTRAINT ck_schemes_period CHECK (valid_until_on > valid_from_on),
    CONSTRAINT ck_schemes_successor CHECK (successor <> code),
    CONSTRAINT fk_schemes_successor FOREIGN KEY(successor) REFERENCES schemes (code)
)
""",
    r"""
CREATE TABLE bodies (
    code TEXT NOT NULL,
    serial TEXT,
    name_zh TEXT NOT NULL,
    name_en TEXT,
    approved_from_on DATE,
    approved_until_on DATE,
    scope TEXT,
    CONSTRAINT pk_bodies PRIMARY KEY (code),
    CONSTRAINT ck_bodies_code CHECK (code ~ '^[0-9A-Z][0-9A-Z-]{1,39}$'),
    CONSTRAINT ck_bodies_serial CHECK (serial ~ '^[0-9]{2,4}$'),
    CONSTRAINT ck_bodies_name_zh CHECK (length(name_zh) BETWEEN 1 AND 200),
    CONSTRAINT ck_bodies_period CHECK (approved_until_on > approved_from_on)
)
""",
    r"""
CREATE TABLE enterprises (
    uscc TEXT NOT NULL,
    name TEXT NOT NULL,
    region VARCHAR(6) NOT NULL,
    CONSTRAINT pk_enterprises PRIMARY KEY (uscc),
    CONSTRAINT ck_enterprises_uscc CHECK (uscc ~ '^[0-9A-HJ-NPQRTUWXY]{2}[0-9]{6}[0-9A-HJ-NPQRTUWXY]{10}$'),
    CONSTRAINT ck_enterprises_region CHECK (region = substr(uscc, 3, 6)),
    CONSTRAINT ck_enterprises_name CHECK (length(name) BETWEEN 1 AND 200)
)
""",
)

CERTIFICATES = (
    r"""
CREATE TABLE certificates (
    id UUID NOT NULL,
    body TEXT NOT NULL,
    number TEXT NOT NULL,
    scheme TEXT NOT NULL,
    recorded_version BIGINT NOT NULL,
    CONSTRAINT pk_certificates PRIMARY KEY (id),
    CONSTRAINT uq_certificates_number_body UNIQUE (number, body),
    CONSTRAINT fk_certificates_body FOREIGN KEY(body) REFERENCES bodies (code),
    CONSTRAINT fk_certificates_scheme FOREIGN KEY(scheme) REFERENCES schemes (code),
    CONSTRAINT ck_certificates_number CHECK (number ~ '^[0-9A-Z][0-9A-Z/-]{3,59}$'),
    CONSTRAINT fk_certificates_recorded_version FOREIGN KEY(recorded_version) REFERENCES registry_changes (version)
)
""",
    r"""
CREATE TABLE certificate_terms (
    id UUID NOT NULL,
    certificate UUID NOT NULL,
    valid_from_on DATE NOT NULL,
    valid_until_on DATE,
    holder TEXT NOT NULL,
    enterprise TEXT,
    recorded_version BIGINT NOT NULL,
    CONSTRAINT pk_certificate_terms PRIMARY KEY (id),
    CONSTRAINT uq_certificate_terms_row UNIQUE (certificate, valid_from_on, recorded_version),
    CONSTRAINT fk_certificate_terms_certificate FOREIGN KEY(certificate) REFERENCES certificates (id),
    CONSTRAINT fk_certificate_terms_enterprise FOREIGN KEY(enterprise) REFERENCES enterprises (uscc),
    CONSTRAINT ck_certificate_terms_period CHECK (valid_until_on > valid_from_on),
    CONSTRAINT ck_certificate_terms_holder CHECK (length(holder) BETWEEN 1 AND 200),
    CONSTRAINT fk_certificate_terms_recorded_version FOREIGN KEY(recorded_version) REFERENCES registry_changes (version)
)
""",
    r"""
CREATE TABLE certificate_states (
    id UUID NOT NULL,
    certificate UUID NOT NULL,
    state TEXT NOT NULL,
    from_on DATE NOT NULL,
    until_on DATE,
    reason TEXT,
    recorded_version BIGINT NOT NULL,
    CONSTRAINT pk_certificate_states PRIMARY KEY (id),
    CONSTRAINT uq_certificate_states_row UNIQUE (certificate, from_on, recorded_version),
    CONSTRAINT fk_certificate_states_certificate FOREIGN KEY(certificate) REFERENCES certificates (id),
    CONSTRAINT ck_certificate_states_state CHECK (state IN ('valid', 'suspended', 'withdrawn', 'expired', 'cancelled')),
    CONSTRAINT ck_certificate_states_period CHECK (until_on > from_on),
    CONSTRAINT ck_certificate_states_reason CHECK (length(reason) BETWEEN 1 AND 500),
    CONSTRAINT fk_certificate_states_recorded_version
        FOREIGN KEY(recorded_version) REFERENCES registry_changes (version)
)
""",
    r"""
CREATE TABLE certified_products (
    id UUID NOT NULL,
    registry_key TEXT NOT NULL,
    certificate UUID NOT NULL,
    from_on DATE NOT NULL,
    until_on DATE,
    listed BOOLEAN NOT NULL,
    product TEXT NOT NULL,
    model TEXT,
    category TEXT,
    grade SMALLINT,
    tier SMALLINT,
    recorded_version BIGINT NOT NULL,
    CONSTRAINT pk_certified_products PRIMARY KEY (id),
    CONSTRAINT uq_certified_products_row UNIQUE (registry_key, certificate, from_on, recorded_version),
    CONSTRAINT fk_certified_products_certificate FOREIGN KEY(certificate) REFERENCES certificates (id),
    CONSTRAINT ck_certified_products_registry_key
        CHECK (registry_key ~ '^[a-z][a-z0-9_]*:.' AND length(registry_key) <= 300),
    CONSTRAINT ck_certified_products_period CHECK (until_on > from_on),
    CONSTRAINT ck_certified_products_product CHECK (length(product) BETWEEN 1 AND 200),
    CONSTRAINT ck_certified_products_model CHECK (length(model) BETWEEN 1 AND 200),
    CONSTRAINT ck_certified_products_category CHECK (length(category) BETWEEN 1 AND 100),
    CONSTRAINT ck_certified_products_grade CHECK (grade BETWEEN 1 AND 5),
    CONSTRAINT ck_certified_products_tier CHECK (tier BETWEEN 1 AND 3),
    CONSTRAINT fk_certified_products_recorded_version
        FOREIGN KEY(recorded_version) REFERENCES registry_changes (version)
)
""",
    r"""
CREATE TABLE recognitions (
    id UUID NOT NULL,
    from_scheme TEXT NOT NULL,
    to_scheme TEXT NOT NULL,
    region VARCHAR(6) NOT NULL,
    from_on DATE NOT NULL,
    until_on DATE,
    document TEXT NOT NULL,
    recorded_version BIGINT NOT NULL,
    CONSTRAINT pk_recognitions PRIMARY KEY (id),
    CONSTRAINT uq_recognitions_row UNIQUE (from_scheme, to_scheme, region, from_on, recorded_version),
    CONSTRAINT fk_recognitions_from_scheme FOREIGN KEY(from_scheme) REFERENCES schemes (code),
    CONSTRAINT fk_recognitions_to_scheme FOREIGN KEY(to_scheme) REFERENCES schemes (code),
    CONSTRAINT ck_recognitions_distinct CHECK (from_scheme <> to_scheme),
    CONSTRAINT ck_recognitions_region CHECK (region ~ '^[0-9]{6}$'),
    CONSTRAINT ck_recognitions_period CHECK (until_on > from_on),
    CONSTRAINT ck_recognitions_document CHECK (length(document) BETWEEN 1 AND 200),
    CONSTRAINT fk_recognitions_recorded_version FOREIGN KEY(recorded_version) REFERENCES registry_changes (version)
)
""",
    "CREATE INDEX ix_certified_products_certificate ON certified_products (certificate)",
)


def upgrade() -> None:
    for statement in SOURCES + CERTIFICATES:
        op.execute(statement)
    _seed()
    _grant()


def _seed() -> None:
    schemes = sa.table("schemes", *(sa.column(name, kind) for name, kind in SCHEME_COLUMNS.items()))
    bodies = sa.table("bodies", *(sa.column(name, sa.Text) for name in BODY_COLUMNS))
    op.bulk_insert(schemes, [_scheme(line) for line in SCHEMES.strip().splitlines()])
    op.bulk_insert(bodies, [dict(zip(BODY_COLUMNS, row, strict=True)) for row in BODIES])
    op.execute("INSERT INTO registry_version (one, version, recorded_at) VALUES (true, 0, '1970-01-01T00:00:00Z')")


def _scheme(line: str) -> dict[str, object]:
    cells = [None if cell == "-" else cell for cell in line.split(" | ")]
    row: dict[str, object] = dict(zip(SCHEME_COLUMNS, cells, strict=True))
    for name, kind in SCHEME_COLUMNS.items():
        cell = row[name]
        if isinstance(cell, str) and kind is not sa.Text:
            row[name] = date.fromisoformat(cell) if kind is sa.Date else int(cell)
    return row


def _grant() -> None:
    readers = ", ".join(READERS)
    op.execute(f"GRANT SELECT ON registry_version, schemes, {', '.join(HISTORY)} TO {readers}")
    op.execute(f"GRANT INSERT ON {', '.join(HISTORY)} TO greenpoints_engine")
    op.execute("GRANT UPDATE (version, recorded_at) ON registry_version TO greenpoints_engine")
