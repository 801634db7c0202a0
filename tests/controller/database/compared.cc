#include "tests/controller/database/compared.h"

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

}  // namespace headgate::database
