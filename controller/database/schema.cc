#include "controller/database/schema.h"

#include <fmt/format.h>

#include <algorithm>
#include <string_view>

#include "common/base/text.h"
#include "controller/database/label.h"

namespace headgate::database {
namespace {

// Longer definitions are shown from shortly before where they begin to differ.
constexpr std::size_t kShownMax = 240;

// One row per object: schema, relation, kind, name, definition, and the type that it uses. A
// function has one for each table or type whose rows or values it has a say in, in that place, or
// one for none.
constexpr std::string_view kSchemaSql = R"(
WITH watched AS (
  SELECT oid, nspname::text AS schema FROM pg_namespace
  WHERE CASE WHEN $1::text[] = '{}' THEN nspname !~ '^pg_' AND nspname <> 'information_schema'
             ELSE nspname = ANY ($1::text[]) END
), relations AS (
  SELECT w.schema, c.relname::text AS name, c.* FROM pg_class AS c
  JOIN watched AS w ON w.oid = c.relnamespace
  WHERE c.relkind IN ('r', 'p', 'v', 'm', 'f', 'c') AND c.relpersistence <> 't'
    AND NOT EXISTS (SELECT FROM pg_depend AS d WHERE d.classid = 'pg_class'::regclass
                    AND d.objid = c.oid AND d.deptype = 'e')
), types AS (
  SELECT w.schema, t.typname::text AS name, t.* FROM pg_type AS t
  JOIN watched AS w ON w.oid = t.typnamespace
  WHERE t.typtype IN ('e', 'd', 'r') AND NOT EXISTS (
    SELECT FROM pg_depend AS d WHERE d.classid = 'pg_type'::regclass
    AND d.objid = t.oid AND d.deptype = 'e')
), own_types AS (
  SELECT t.oid, w.schema, t.typname::text AS name FROM pg_type AS t
  JOIN watched AS w ON w.oid = t.typnamespace LEFT JOIN pg_class AS c ON c.oid = t.typrelid
  WHERE t.typtype IN ('e', 'd', 'r') OR c.relkind = 'c'
), own_collations AS (
  SELECT l.oid, ' (' || concat_ws(' ', CASE l.collprovider WHEN 'i' THEN 'icu' ELSE 'libc' END,
    coalesce(to_jsonb(l) ->> 'colliculocale', to_jsonb(l) ->> 'colllocale', l.collcollate),
    CASE WHEN NOT l.collisdeterministic THEN 'not deterministic' END) || ')' AS made_of
  FROM pg_collation AS l WHERE l.collnamespace <> 'pg_catalog'::regnamespace
), functions AS (
  SELECT p.oid, w.schema,
    p.proname || '(' || pg_get_function_identity_arguments(p.oid) || ')' AS name
  FROM pg_proc AS p JOIN watched AS w ON w.oid = p.pronamespace
  WHERE p.prokind <> 'a' AND NOT EXISTS (
    SELECT FROM pg_depend AS d WHERE d.classid = 'pg_proc'::regclass
    AND d.objid = p.oid AND d.deptype = 'e')
), calls AS (
  SELECT refobjid AS oid, classid, objid, objsubid FROM pg_depend
  WHERE refclassid = 'pg_proc'::regclass
), used AS (
  SELECT d.oid, r.schema, r.name FROM calls AS d
  JOIN pg_constraint AS c ON c.oid = d.objid AND d.classid = 'pg_constraint'::regclass
  JOIN relations AS r ON r.oid = c.conrelid
  UNION SELECT d.oid, t.schema, t.name FROM calls AS d
  JOIN pg_constraint AS c ON c.oid = d.objid AND d.classid = 'pg_constraint'::regclass
  JOIN types AS t ON t.oid = c.contypid
  UNION SELECT d.oid, r.schema, r.name FROM calls AS d
  JOIN pg_attrdef AS f ON f.oid = d.objid AND d.classid = 'pg_attrdef'::regclass
  JOIN pg_attribute AS a ON a.attrelid = f.adrelid AND a.attnum = f.adnum AND a.attgenerated <> ''
  JOIN relations AS r ON r.oid = f.adrelid
  UNION SELECT d.oid, r.schema, r.name FROM calls AS d
  JOIN relations AS r ON r.oid = d.objid AND d.classid = 'pg_class'::regclass AND d.objsubid > 0
  UNION SELECT d.oid, r.schema, r.name FROM calls AS d
  JOIN pg_index AS i ON i.indexrelid = d.objid AND d.classid = 'pg_class'::regclass
  JOIN relations AS r ON r.oid = i.indrelid
  UNION SELECT d.oid, r.schema, r.name FROM calls AS d
  JOIN pg_trigger AS g ON g.oid = d.objid AND d.classid = 'pg_trigger'::regclass
    AND g.tgenabled IN ('A', 'R')
  JOIN relations AS r ON r.oid = g.tgrelid
)
SELECT schema, name, CASE WHEN relkind = 'c' THEN 'type' ELSE 'table' END, '',
  CASE relkind WHEN 'r' THEN 'a table' WHEN 'p' THEN 'a table'
    WHEN 'v' THEN 'a view: ' || pg_get_viewdef(oid) WHEN 'c' THEN 'a composite type'
    WHEN 'm' THEN 'a materialized view: ' || pg_get_viewdef(oid) ELSE 'a foreign table' END
  || CASE WHEN relpersistence = 'u' THEN ', unlogged' ELSE '' END, '', ''
FROM relations
UNION ALL
SELECT schema, name, 'setting', 'partition key', pg_get_partkeydef(oid), '', ''
FROM relations WHERE relkind = 'p'
UNION ALL
SELECT schema, name, 'setting', 'partition bound', pg_get_expr(relpartbound, oid), '', ''
FROM relations WHERE relispartition
UNION ALL
SELECT r.schema, r.name, 'setting',
  CASE WHEN r.relispartition THEN 'partition of ' ELSE 'child of ' END || p.schema || '.' || p.name,
  'yes', p.schema, p.name
FROM relations AS r JOIN pg_inherits AS i ON i.inhrelid = r.oid JOIN relations AS p ON p.oid = i.inhparent
UNION ALL
SELECT schema, name, 'setting', 'row security', 'on', '', '' FROM relations WHERE relrowsecurity
UNION ALL
SELECT schema, name, 'setting', 'replica identity',
  CASE relreplident WHEN 'n' THEN 'nothing' WHEN 'f' THEN 'all columns' ELSE 'an index' END, '', ''
FROM relations WHERE relkind IN ('r', 'p') AND relreplident <> 'd'
UNION ALL
SELECT r.schema, r.name, 'column', a.attname::text,
  format_type(a.atttypid, a.atttypmod)
  || CASE WHEN a.attcollation <> t.typcollation THEN ' collate ' || a.attcollation::regcollation::text
          || coalesce(l.made_of, '') ELSE '' END
  || CASE WHEN a.attgenerated <> '' THEN ' generated always as ' || pg_get_expr(d.adbin, d.adrelid)
          WHEN a.attidentity = 'a' THEN ' generated always as identity'
          WHEN a.attidentity = 'd' THEN ' generated by default as identity'
          WHEN d.adbin IS NOT NULL THEN ' default ' || pg_get_expr(d.adbin, d.adrelid) ELSE '' END
  || CASE WHEN a.attnotnull THEN ' not null' ELSE '' END,
  coalesce(o.schema, ''), coalesce(o.name, '')
FROM relations AS r
JOIN pg_attribute AS a ON a.attrelid = r.oid AND a.attnum > 0 AND NOT a.attisdropped
JOIN pg_type AS t ON t.oid = a.atttypid
LEFT JOIN pg_attrdef AS d ON d.adrelid = a.attrelid AND d.adnum = a.attnum
LEFT JOIN pg_range AS m ON m.rngmultitypid = t.oid
LEFT JOIN own_types AS o
  ON o.oid = CASE t.typcategory WHEN 'A' THEN t.typelem ELSE coalesce(m.rngtypid, t.oid) END
LEFT JOIN own_collations AS l ON l.oid = a.attcollation
UNION ALL
SELECT r.schema, r.name, 'constraint', c.conname::text, pg_get_constraintdef(c.oid)
  || CASE WHEN i.indisvalid OR c.contype NOT IN ('p', 'u', 'x') THEN '' ELSE ', invalid' END, '', ''
FROM relations AS r JOIN pg_constraint AS c ON c.conrelid = r.oid AND c.contype NOT IN ('t', 'n')
LEFT JOIN pg_index AS i ON i.indexrelid = c.conindid
UNION ALL
SELECT r.schema, r.name, CASE WHEN i.indisunique OR i.indisexclusion THEN 'unique index' ELSE 'index' END,
  x.relname::text, replace(pg_get_indexdef(i.indexrelid), ' ON ONLY ', ' ON ')
  || CASE WHEN i.indisvalid THEN '' ELSE ', invalid' END, '', ''
FROM relations AS r JOIN pg_index AS i ON i.indrelid = r.oid JOIN pg_class AS x ON x.oid = i.indexrelid
WHERE NOT EXISTS (SELECT FROM pg_constraint AS c WHERE c.conindid = i.indexrelid
                  AND c.contype IN ('p', 'u', 'x'))
UNION ALL
SELECT r.schema, r.name,
  CASE WHEN g.tgenabled IN ('A', 'R') THEN 'replicated trigger' ELSE 'trigger' END, g.tgname::text,
  pg_get_triggerdef(g.oid) || CASE g.tgenabled WHEN 'D' THEN ', disabled' WHEN 'A' THEN ', enabled always'
    WHEN 'R' THEN ', enabled on replicas' ELSE '' END, '', ''
FROM relations AS r JOIN pg_trigger AS g ON g.tgrelid = r.oid AND NOT g.tgisinternal
UNION ALL
SELECT t.schema, t.name, 'type', '', 'an enum of ' || coalesce((SELECT string_agg(
  quote_literal(e.enumlabel), ', ' ORDER BY e.enumsortorder) FROM pg_enum AS e
  WHERE e.enumtypid = t.oid), 'nothing'), '', ''
FROM types AS t WHERE t.typtype = 'e'
UNION ALL
SELECT t.schema, t.name, 'type', '', 'a domain over ' || format_type(t.typbasetype, t.typtypmod)
  || CASE WHEN t.typcollation <> b.typcollation
          THEN ' collate ' || t.typcollation::regcollation::text || coalesce(l.made_of, '') ELSE '' END
  || coalesce(' default ' || t.typdefault, '') || CASE WHEN t.typnotnull THEN ' not null' ELSE '' END
  || coalesce((SELECT string_agg(' ' || pg_get_constraintdef(c.oid), '' ORDER BY c.conname)
               FROM pg_constraint AS c WHERE c.contypid = t.oid AND c.contype = 'c'), ''),
  coalesce(o.schema, ''), coalesce(o.name, '')
FROM types AS t JOIN pg_type AS b ON b.oid = t.typbasetype
LEFT JOIN own_types AS o ON o.oid = CASE b.typcategory WHEN 'A' THEN b.typelem ELSE b.oid END
LEFT JOIN own_collations AS l ON l.oid = t.typcollation
WHERE t.typtype = 'd'
UNION ALL
SELECT t.schema, t.name, 'type', '', 'a range of ' || format_type(g.rngsubtype, NULL)
  || CASE WHEN g.rngcollation <> b.typcollation
          THEN ' collate ' || g.rngcollation::regcollation::text || coalesce(l.made_of, '') ELSE '' END
  || CASE WHEN p.opcdefault THEN '' ELSE ' sorted by ' || p.opcname END
  || CASE WHEN g.rngcanonical::oid = 0 THEN '' ELSE ' canonical by ' || g.rngcanonical::text END
  || CASE WHEN g.rngsubdiff::oid = 0 THEN '' ELSE ' told apart by ' || g.rngsubdiff::text END,
  coalesce(o.schema, ''), coalesce(o.name, '')
FROM types AS t JOIN pg_range AS g ON g.rngtypid = t.oid JOIN pg_type AS b ON b.oid = g.rngsubtype
JOIN pg_opclass AS p ON p.oid = g.rngsubopc
LEFT JOIN own_types AS o ON o.oid = b.oid LEFT JOIN own_collations AS l ON l.oid = g.rngcollation
UNION ALL
SELECT f.schema, f.name, 'function', '', pg_get_functiondef(f.oid),
  coalesce(u.schema, ''), coalesce(u.name, '')
FROM functions AS f LEFT JOIN used AS u ON u.oid = f.oid)";

std::string Quoted(std::string_view element) {
  std::string text = "\"";
  for (const char letter : element) {
    if (letter == '"' || letter == '\\') text += '\\';
    text += letter;
  }
  return text + '"';
}

bool IsTableOrType(const ObjectKey& key) { return key.name.empty(); }

std::string TableName(const ObjectKey& key) { return LabelOf(key.schema, key.relation); }

// Types that compared columns are made of, and the types of those in turn.
std::set<std::string> TypesUsed(const Schema& compared, const Schema& all) {
  std::set<std::string> used;
  for (const auto& [key, definition] : compared) {
    if (!definition.uses.empty()) used.insert(definition.uses);
  }
  bool has_grown = true;
  while (has_grown) {
    has_grown = false;
    for (const auto& [key, definition] : all) {
      if (definition.uses.empty() || !used.contains(TableName(key))) continue;
      has_grown = used.insert(definition.uses).second || has_grown;
    }
  }
  return used;
}

std::set<std::string> TablesOf(const Schema& schema) {
  std::set<std::string> tables;
  for (const auto& [key, definition] : schema) {
    if (key.kind == "table") tables.insert(TableName(key));
  }
  return tables;
}

Schema PublishedPart(const Schema& schema, const PublishedTables& published, const Schema& primary,
                     const std::set<std::string>& on_both) {
  Schema part;
  for (const auto& [key, definition] : schema) {
    const auto table = published.find(TableName(key));
    if (table == published.end() || key.kind == "type" || key.kind == "function") continue;
    // A table that stands on both sides has its rows from the same tables on both.
    if (key.kind == "setting") {
      if (on_both.contains(definition.part_of)) part.emplace(key, definition);
      continue;
    }
    // Triggers of the ordinary kind do not fire while changes are applied.
    if (key.kind == "trigger") continue;
    // More indexes on a replica are the replica's business, as long as they forbid nothing.
    if (key.kind == "index" && !primary.contains(key)) continue;
    // A column that is not published is not needed, unless the replica has it too.
    const bool is_primary = &schema == &primary;
    if (key.kind == "column" && is_primary && !table->second.empty() &&
        !table->second.contains(key.name)) {
      continue;
    }
    part.emplace(key, definition);
  }
  return part;
}

// What has a say in the rows of the tables that are compared, on either side.
std::set<std::string> FunctionsUsed(const Schema& all, const PublishedTables& published,
                                    const std::set<std::string>& types) {
  std::set<std::string> used;
  for (const auto& [key, definition] : all) {
    const bool is_used = std::any_of(
        definition.used_by.begin(), definition.used_by.end(),
        [&](const std::string& user) { return published.contains(user) || types.contains(user); });
    if (is_used) used.insert(TableName(key));
  }
  return used;
}

void AddNamed(const std::set<std::string>& used, const Schema& from, Schema& to) {
  for (const auto& [key, definition] : from) {
    if (used.contains(TableName(key))) to.emplace(key, definition);
  }
}

// On one line: definitions of functions and views have many.
std::string Squeezed(std::string_view text) {
  std::string squeezed;
  for (const char letter : text) {
    const bool is_blank = letter == ' ' || letter == '\n' || letter == '\t' || letter == '\r';
    if (!is_blank) {
      squeezed += letter;
    } else if (!squeezed.empty() && squeezed.back() != ' ') {
      squeezed += ' ';
    }
  }
  if (!squeezed.empty() && squeezed.back() == ' ') squeezed.pop_back();
  return squeezed;
}

std::string Shown(const std::string& text, std::size_t from) {
  if (text.size() <= kShownMax) return text;
  // A sequence that is cut at either end shows as such.
  const std::size_t begin = std::min(from, text.size() - kShownMax);
  return fmt::format("{}{}{}", begin > 0 ? "…" : "", ValidUtf8(text.substr(begin, kShownMax)),
                     begin + kShownMax < text.size() ? "…" : "");
}

}  // namespace

Statement SchemaStatement(const std::vector<std::string>& schemas) {
  std::string array = "{";
  for (const std::string& schema : schemas) {
    if (array.size() > 1) array += ',';
    array += Quoted(schema);
  }
  return {.sql = std::string(kSchemaSql), .parameters = {array + "}"}};
}

absl::StatusOr<Schema> ReadSchema(const absl::StatusOr<Rows>& answer) {
  if (!answer.ok()) return answer.status();
  Schema schema;
  for (const Row& row : *answer) {
    // A definition that PostgreSQL cannot give is NULL: something was dropped meanwhile.
    const bool is_whole =
        row.size() == 7 &&
        std::all_of(row.begin(), row.end(), [](const auto& cell) { return cell.has_value(); });
    if (!is_whole) return absl::AbortedError("the schema changed while it was read");
    Definition& definition =
        schema[{.schema = *row[0], .relation = *row[1], .kind = *row[2], .name = *row[3]}];
    definition.text = *row[4];
    if (row[6]->empty()) continue;
    const std::string other = LabelOf(*row[5], *row[6]);
    if (*row[2] == "function") {
      definition.used_by.insert(other);
    } else if (*row[2] == "setting") {
      definition.part_of = other;
    } else {
      definition.uses = other;
    }
  }
  return schema;
}

ComparedSchemas ForLogicalReplica(const Schema& primary, const Schema& replica,
                                  const PublishedTables& published) {
  std::set<std::string> on_both = TablesOf(primary);
  const std::set<std::string> here = TablesOf(replica);
  std::erase_if(on_both, [&](const std::string& table) { return !here.contains(table); });
  ComparedSchemas compared{.primary = PublishedPart(primary, published, primary, on_both),
                           .replica = PublishedPart(replica, published, primary, on_both)};
  // Unpublished columns that the replica has by chance are its own.
  for (const auto& [key, definition] : primary) {
    if (key.kind == "column" && !compared.primary.contains(key)) compared.replica.erase(key);
  }
  std::set<std::string> used = TypesUsed(compared.primary, primary);
  used.merge(TypesUsed(compared.replica, replica));
  std::set<std::string> functions = FunctionsUsed(primary, published, used);
  functions.merge(FunctionsUsed(replica, published, used));
  used.merge(functions);
  AddNamed(used, primary, compared.primary);
  AddNamed(used, replica, compared.replica);
  return compared;
}

std::vector<Difference> Compare(const Schema& primary, const Schema& replica) {
  std::vector<Difference> differences;
  std::set<std::string> one_sided;
  const auto note = [&](const ObjectKey& key, const Definition* here, const Definition* there) {
    if (here != nullptr && there != nullptr && here->text == there->text) return;
    if (!IsTableOrType(key) && one_sided.contains(TableName(key))) return;
    differences.push_back(
        {.key = key,
         .here = here == nullptr ? std::nullopt : std::optional(here->text),
         .on_primary = there == nullptr ? std::nullopt : std::optional(there->text)});
  };
  for (const auto* side : {&primary, &replica}) {
    const Schema& other = side == &primary ? replica : primary;
    for (const auto& [key, definition] : *side) {
      if (IsTableOrType(key) && !other.contains(key)) one_sided.insert(TableName(key));
    }
  }
  for (const auto& [key, definition] : primary) {
    const auto here = replica.find(key);
    note(key, here == replica.end() ? nullptr : &here->second, &definition);
  }
  for (const auto& [key, definition] : replica) {
    if (!primary.contains(key)) note(key, &definition, nullptr);
  }
  std::sort(differences.begin(), differences.end(),
            [](const Difference& a, const Difference& b) { return a.key < b.key; });
  return differences;
}

std::string Describe(const std::string& replica, const Difference& difference) {
  return Describe("replica " + replica, difference, "on the primary");
}

std::string Describe(const std::string& who, const Difference& difference,
                     const std::string& there) {
  const ObjectKey& key = difference.key;
  const std::string relation = TableName(key);
  const bool is_table = key.kind != "type" && key.kind != "function";
  std::string subject = fmt::format("{}: {} {}", who, is_table ? "table" : key.kind, relation);
  if (!key.name.empty()) subject += fmt::format(": {} {}", key.kind, key.name);
  std::string here = Squeezed(difference.here.value_or(""));
  std::string other = Squeezed(difference.on_primary.value_or(""));
  if (here == other) {
    here = difference.here.value_or("");
    other = difference.on_primary.value_or("");
  }
  if (!difference.here.has_value()) {
    return fmt::format("{} is missing here; {} it is {}", subject, there, Shown(other, 0));
  }
  if (!difference.on_primary.has_value()) {
    const std::string nobody =
        there == "on the primary" ? "the primary has none" : fmt::format("{} there is none", there);
    return fmt::format("{} is {} here; {}", subject, Shown(here, 0), nobody);
  }
  const auto [a, b] = std::mismatch(here.begin(), here.end(), other.begin(), other.end());
  const auto same = static_cast<std::size_t>(a - here.begin());
  const std::size_t from = same > 40 ? same - 40 : 0;
  return fmt::format("{} is {} here, {} {}", subject, Shown(here, from), Shown(other, from), there);
}

}  // namespace headgate::database
