"""cqlsh, as it comes from PyPI."""

import os
import subprocess
import tempfile
import unittest

from server import Server
from test_driver import REPLICATION


class Shell(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.server = Server().__enter__()
        cls.home = tempfile.mkdtemp(prefix="shopstream-clients-")

    @classmethod
    def tearDownClass(cls):
        cls.server.__exit__()

    def run_shell(self, text, *arguments, succeeds=True):
        result = subprocess.run(
            ["cqlsh", "127.0.0.1", str(self.server.port), "--connect-timeout", "60", "--request-timeout", "60", *arguments],
            input=text, capture_output=True, text=True, timeout=300, env={**os.environ, "HOME": self.home})
        if succeeds:
            self.assertEqual((result.returncode, result.stderr), (0, ""), result.stdout)
        return result.stdout + result.stderr

    def make_keyspace(self, name):
        self.run_shell("""CREATE KEYSPACE %s %s; USE %s;
            CREATE TYPE p (x int, y text);
            CREATE TABLE t (a int, b timestamp, v text, l list<int>, m map<text, frozen<p>>, d duration, vec vector<float, 2>, PRIMARY KEY (a, b))
                WITH CLUSTERING ORDER BY (b DESC);
            CREATE INDEX t_v ON t (v);
            CREATE MATERIALIZED VIEW by_v AS SELECT * FROM t WHERE v IS NOT NULL AND a IS NOT NULL AND b IS NOT NULL PRIMARY KEY (v, a, b);
            INSERT INTO t (a, b, v, l, m, d, vec) VALUES (1, '2024-01-01', 'it''s', [1, 2], {'k': {x: 1, y: 'z'}}, 1mo2d, [1.5, 2]);
            INSERT INTO t (a, b) VALUES (1, '2024-01-02');""" % (name, REPLICATION, name))

    def test_describe(self):
        self.make_keyspace("described")
        self.assertIn("described", self.run_shell("DESCRIBE KEYSPACES;"))
        table = self.run_shell("DESCRIBE TABLE described.t;")
        self.assertIn("CREATE TABLE described.t (", table)
        self.assertIn("CREATE INDEX t_v ON described.t (v)", table)
        self.assertIn("CREATE MATERIALIZED VIEW described.by_v AS", table)
        self.assertIn("CREATE TYPE described.p (", self.run_shell("DESCRIBE TYPE described.p;"))
        self.assertIn("t", self.run_shell("USE described; DESCRIBE TABLES;"))
        self.assertIn("ShopStream", self.run_shell("DESCRIBE CLUSTER;"))
        self.assertIn("CREATE KEYSPACE described", self.run_shell("DESCRIBE SCHEMA;"))
        # What DESCRIBE says makes the same again.
        text = self.run_shell("DESCRIBE KEYSPACE described;")
        self.run_shell(text.replace("described", "remade"))
        self.assertEqual(self.run_shell("DESCRIBE KEYSPACE remade;").replace("remade", "described"), text)

    def test_select(self):
        self.make_keyspace("selected")
        text = self.run_shell("SELECT * FROM selected.t;")
        for part in ["it's", "{'k': {x: 1, y: 'z'}}", "1mo2d", "[1.5, 2]", "(2 rows)"]:
            self.assertIn(part, text)
        self.assertIn("line 1:0 no viable alternative at input 'SELEKT'", self.run_shell("SELEKT;", succeeds=False))
        self.assertIn("(2 rows)", self.run_shell("PAGING 1; EXPAND ON; SELECT a, b FROM selected.t;"))
        self.assertIn("[applied]", self.run_shell(
            "INSERT INTO selected.t (a, b) VALUES (1, '2024-01-02') IF NOT EXISTS;"))

    def test_paging(self):
        self.run_shell("CREATE KEYSPACE paged %s; CREATE TABLE paged.t (a int, b int, PRIMARY KEY (a, b));" % REPLICATION)
        self.run_shell("USE paged;\n" + "\n".join("INSERT INTO t (a, b) VALUES (1, %d);" % index for index in range(250)))
        text = self.run_shell("PAGING 100; SELECT * FROM paged.t;")
        self.assertIn("(250 rows)", text)

    def test_source_tracing_and_consistency(self):
        self.make_keyspace("traced")
        path = os.path.join(self.home, "source.cql")
        with open(path, "w") as file:
            file.write("INSERT INTO traced.t (a, b, v) VALUES (5, '2024-01-01', 'sourced');")
        self.assertIn("sourced", self.run_shell("SOURCE '%s'; SELECT v FROM traced.t WHERE a = 5;" % path))
        text = self.run_shell("CONSISTENCY QUORUM; TRACING ON; SELECT * FROM traced.t WHERE a = 1;")
        self.assertIn("Tracing session:", text)
        self.assertIn("Executing single-partition query on t", text)
        self.assertIn("Request complete", text)

    def test_copy(self):
        self.run_shell("""CREATE KEYSPACE copied %s; CREATE TABLE copied.t (a int, b text, s set<int>, PRIMARY KEY (a, b));
            CREATE TABLE copied.u (a int, b text, s set<int>, PRIMARY KEY (a, b));""" % REPLICATION)
        self.run_shell("USE copied;\n" + "\n".join(
            "INSERT INTO t (a, b, s) VALUES (%d, 'row, \"%d\"', {%d, 2});" % (index, index, index) for index in range(100)))
        path = os.path.join(self.home, "copy.csv")
        self.assertIn("100 rows exported", self.run_shell("COPY copied.t TO '%s' WITH HEADER = true;" % path))
        self.assertIn("100 rows imported", self.run_shell("COPY copied.u FROM '%s' WITH HEADER = true;" % path))
        rows = self.run_shell("SELECT * FROM copied.t;")
        self.assertIn("(100 rows)", rows)
        self.assertEqual(self.run_shell("SELECT * FROM copied.u;"), rows)


if __name__ == "__main__":
    unittest.main()
