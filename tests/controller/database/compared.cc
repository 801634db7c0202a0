#include "tests/controller/database/compared.h"

#include <fmt/format.h>

namespace headgate::database {

std::unique_ptr<testing::DatabaseLab> ComparedTest::lab_;

void ComparedTest::WaitUntilInStep() {
  const std::string position = lab_->Sql("db1", "SELECT pg_current_wal_insert_lsn()");
  ASSERT_TRUE(testing::WaitUntil(
      [&] {
        return lab_->Sql("db2", "SELECT pg_last_wal_replay_lsn() >= '" + position + "'") == "t" &&
               lab_->Sql("db3",
                         "SELECT count(*) > 0 AND bool_and(srsubstate = 'r') FROM "
                         "pg_subscription_rel") == "t" &&
               lab_->Sql("db1", "SELECT replay_lsn >= '" + position +
                                    "' FROM pg_stat_replication WHERE application_name = 'db3'") ==
                   "t";
      },
      Duration(30'000)));
}

void ComparedTest::WriteBusily(int times) {
  lab_->Sql("db1", fmt::format("DO $$ BEGIN FOR i IN 1..{} LOOP "
                               "UPDATE items SET a = a + 1 WHERE id = 1 + (random() * 1500)::int; "
                               "UPDATE items SET n = n + 1 WHERE id IN (1, 2); COMMIT; "
                               "INSERT INTO items VALUES (100000 + i, i); COMMIT; "
                               "DELETE FROM items WHERE id = 100000 + i - 10; COMMIT; "
                               "END LOOP; DELETE FROM items WHERE id > 100000; END $$",
                               times));
}

}  // namespace headgate::database
