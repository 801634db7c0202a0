#include "controller/database/table_plan.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace headgate::database {
namespace {

using ::testing::ElementsAre;
using ::testing::Field;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;

const std::vector<Replica> kReplicas = {{.name = "db2", .dsn = "x", .kind = ReplicaKind::kPhysical},
                                        {.name = "db3", .dsn = "x", .kind = ReplicaKind::kLogical}};

ServerTables Example() {
  TableShape orders{.schema = "public", .name = "orders", .rows_estimated = 10};
  for (const char* name : {"id", "note", "total"}) {
    orders.columns[name] = {.name = name, .type = "bigint", .base = "int8", .may_be_null = false};
  }
  orders.keys = {{.columns = {"id"}, .is_primary = true}};
  ServerTables tables;
  tables.shapes["public.orders"] = orders;
  tables.published["shop"]["public.orders"] = {.columns = {"id", "note", "total"}};
  tables.publications = {"shop"};
  tables.subscribed_is_ready = {{"public.orders", true}};
  return tables;
}

TableSelection Select(const ServerTables& primary, const ServerTables& db2,
                      const ServerTables& db3) {
  return SelectTables(primary, {{"db2", db2}, {"db3", db3}}, kReplicas, {});
}

TEST(SelectTables, AsksReplicasTogetherThatAreAskedTheSame) {
  const TableSelection selection = Select(Example(), Example(), Example());
  EXPECT_THAT(selection.plans, ElementsAre(Field(&TablePlan::replicas, ElementsAre("db2", "db3"))));
  EXPECT_THAT(selection.left_out, IsEmpty());
}

TEST(SelectTables, ComparesWithALogicalReplicaWhatItIsSent) {
  ServerTables primary = Example();
  primary.published["shop"]["public.orders"].columns = {"id", "total"};
  const TableSelection selection = Select(primary, Example(), Example());
  ASSERT_THAT(selection.plans, SizeIs(2));
  EXPECT_THAT(selection.plans[0].columns, SizeIs(3));
  EXPECT_THAT(selection.plans[1].columns,
              ElementsAre(Field(&PlannedColumn::name, "id"), Field(&PlannedColumn::name, "total")));
  primary.published.clear();
  EXPECT_THAT(Select(primary, Example(), Example()).plans, SizeIs(1));
}

TEST(SelectTables, ComparesTextInOneEncodingWhereServersStoreItInTwo) {
  ServerTables primary = Example();
  ServerTables db3 = Example();
  primary.encoding = "UTF8";
  db3.encoding = "LATIN1";
  ServerTables db2 = primary;
  const TableSelection selection = Select(primary, db2, db3);
  ASSERT_THAT(selection.plans, SizeIs(2));
  EXPECT_FALSE(selection.plans[0].columns[0].as_utf8);
  EXPECT_TRUE(selection.plans[1].columns[0].as_utf8);
  // Keys that are text: of these two the bytes are in one order, of others they are not.
  primary.shapes["public.orders"].columns["id"].order = "c:C";
  EXPECT_THAT(Select(primary, db2, db3).left_out, IsEmpty());
  db3.encoding = "KOI8R";
  EXPECT_THAT(Select(primary, db2, db3).left_out,
              ElementsAre(Field(&Finding::text,
                                HasSubstr("replica db3: table public.orders was not compared: its "
                                          "key is text, which the primary stores as UTF8 and the "
                                          "replica as KOI8R"))));
}

TEST(SelectTables, TellsTablesApartWhoseNamesJoinToTheSame) {
  EXPECT_EQ(LabelOf("public", "orders"), "public.orders");
  EXPECT_EQ(LabelOf("a.b", "c"), R"("a.b".c)");
  EXPECT_EQ(LabelOf("a", "b.c"), R"(a."b.c")");
  EXPECT_EQ(LabelOf("a", R"(b"c)"), R"(a."b""c")");
  TablePlan one{.schema = "public", .name = "t db2", .replicas = {"db3"}};
  TablePlan other{.schema = "public", .name = "t", .replicas = {"db2", "db3"}};
  EXPECT_NE(one.Id(), other.Id());
  // And both are meant by who writes it plainly.
  ServerTables tables;
  for (const auto& [schema, name] : {std::pair("a.b", "c"), std::pair("a", "b.c")}) {
    TableShape shape = Example().shapes.at("public.orders");
    shape.schema = schema;
    shape.name = name;
    tables.shapes[LabelOf(schema, name)] = shape;
  }
  const TableSelection selection =
      SelectTables(tables, {{"db2", tables}}, {kReplicas[0]}, {"a.b.c"});
  EXPECT_THAT(selection.plans, SizeIs(2));
  EXPECT_THAT(selection.left_out, IsEmpty());
}

TEST(SelectTables, ComparesTheTextWhereTypesDifferAndTheBytesWhereOrdersDo) {
  ServerTables db3 = Example();
  db3.shapes["public.orders"].columns["total"].base = "int4";
  db3.shapes["public.orders"].columns["id"].order = "c:de_DE";
  const TableSelection selection = Select(Example(), Example(), db3);
  ASSERT_THAT(selection.plans, SizeIs(2));
  EXPECT_EQ(selection.plans[1].columns[2].base, "");
  EXPECT_TRUE(selection.plans[1].IsUnindexed());
  EXPECT_FALSE(selection.plans[0].IsUnindexed());
}

struct Reason {
  std::function<void(ServerTables& primary, ServerTables& db3)> change;
  const char* told;
};

TEST(SelectTables, SaysWhyATableIsNotCompared) {
  const auto orders = [](ServerTables& tables) -> TableShape& {
    return tables.shapes["public.orders"];
  };
  const std::vector<Reason> reasons = {
      {[&](auto& primary, auto&) { orders(primary).obstacle = "no right"; },
       "the primary: table public.orders was not compared: no right"},
      {[&](auto&, auto& db3) { orders(db3).obstacle = "no right"; },
       "replica db3: table public.orders was not compared: no right"},
      {[&](auto& primary, auto& db3) {
         orders(primary).keys.clear();
         orders(db3).keys.clear();
       },
       "it has no primary key and no unique index"},
      {[&](auto&, auto& db3) { orders(db3).keys.clear(); },
       "the replica has no index like the primary's key"},
      {[&](auto&, auto& db3) { db3.shapes.clear(); }, "the replica does not have it"},
      {[&](auto&, auto& db3) { db3.subscribed_is_ready.clear(); }, "has not subscribed to it"},
      {[&](auto&, auto& db3) { db3.subscribed_is_ready["public.orders"] = false; },
       "its first copy is not finished"},
      {[&](auto& primary, auto&) {
         primary.published["shop"]["public.orders"].exception = "only some of its rows";
       },
       "only some of its rows"}};
  for (const Reason& reason : reasons) {
    ServerTables primary = Example();
    ServerTables db3 = Example();
    reason.change(primary, db3);
    const TableSelection selection = SelectTables(primary, {{"db3", db3}}, kReplicas, {});
    EXPECT_THAT(selection.plans, IsEmpty()) << reason.told;
    EXPECT_THAT(selection.left_out,
                ElementsAre(::testing::AllOf(Field(&Finding::text, HasSubstr(reason.told)),
                                             Field(&Finding::severity, Severity::kUnknown))))
        << reason.told;
  }
}

TEST(SelectTables, SaysOnceWhatKeepsThePrimaryFromBeingReadAndOnlyWhereItMatters) {
  ServerTables primary = Example();
  primary.shapes["public.orders"].obstacle = "no right";
  EXPECT_THAT(Select(primary, Example(), Example()).left_out, SizeIs(1));
  // Nobody is sent it.
  primary.published.clear();
  EXPECT_THAT(SelectTables(primary, {{"db3", Example()}}, kReplicas, {}).left_out, IsEmpty());
}

TEST(SelectTables, SaysWhichWantedTableThereIsNot) {
  const TableSelection selection =
      SelectTables(Example(), {{"db2", Example()}}, kReplicas, {"orders", "public.hope"});
  EXPECT_THAT(selection.plans, SizeIs(1));
  EXPECT_THAT(selection.left_out,
              ElementsAre(Field(&Finding::text, HasSubstr("table public.hope was not compared: "
                                                          "there is none"))));
}

}  // namespace
}  // namespace headgate::database
