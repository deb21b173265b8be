"""cassandra-driver, as it comes from PyPI."""

import datetime
import decimal
import os
import signal
import ssl
import subprocess
import tempfile
import time
import unittest
import uuid

import cassandra
from cassandra import AlreadyExists, ConsistencyLevel, InvalidRequest, ProtocolVersion
from cassandra.auth import PlainTextAuthProvider
from cassandra.cluster import EXEC_PROFILE_DEFAULT, Cluster, ExecutionProfile, NoHostAvailable
from cassandra.concurrent import execute_concurrent_with_args
from cassandra.policies import RoundRobinPolicy
from cassandra.query import BatchStatement, BatchType, SimpleStatement
from cassandra.util import Date, Duration, Time

from server import SHOPSTREAM, Server

REPLICATION = "WITH replication = {'class': 'SimpleStrategy', 'replication_factor': 1}"


def connect(server, **options):
    profile = ExecutionProfile(load_balancing_policy=RoundRobinPolicy(), request_timeout=60)
    options.setdefault("compression", False)
    return Cluster(
        ["127.0.0.1"], port=server.port, execution_profiles={EXEC_PROFILE_DEFAULT: profile}, connect_timeout=60,
        control_connection_timeout=60, **options)


class Versions:
    """Tests that every form of a connection has to pass."""

    options = {}

    @classmethod
    def setUpClass(cls):
        cls.server = Server().__enter__()
        cls.cluster = connect(cls.server, **cls.options)
        cls.session = cls.cluster.connect()
        cls.session.execute("CREATE KEYSPACE ks " + REPLICATION)
        cls.session.set_keyspace("ks")

    @classmethod
    def tearDownClass(cls):
        cls.cluster.shutdown()
        cls.server.__exit__()

    def test_version(self):
        expected = self.options.get("protocol_version", ProtocolVersion.V5)
        self.assertEqual(self.cluster.protocol_version, expected)

    def test_metadata(self):
        self.session.execute("CREATE TYPE address (street text, zip int)")
        self.session.execute("""CREATE TABLE meta (a int, b timeuuid, s text STATIC, home address, friends map<text, frozen<address>>,
            tags set<text>, v vector<float, 3>, d duration, PRIMARY KEY (a, b)) WITH CLUSTERING ORDER BY (b DESC) AND comment = 'c'""")
        self.session.execute("CREATE INDEX meta_tags ON meta (tags)")
        self.session.execute("""CREATE MATERIALIZED VIEW by_b AS SELECT a, b, tags FROM meta WHERE a IS NOT NULL AND b IS NOT NULL
            PRIMARY KEY (b, a)""")
        self.cluster.refresh_schema_metadata()
        metadata = self.cluster.metadata
        self.assertEqual(metadata.cluster_name, "ShopStream")
        self.assertEqual(len(metadata.all_hosts()), 1)
        keyspace = metadata.keyspaces["ks"]
        table = keyspace.tables["meta"]
        self.assertEqual([column.name for column in table.partition_key], ["a"])
        self.assertEqual([column.name for column in table.clustering_key], ["b"])
        self.assertTrue(table.columns["b"].is_reversed)
        self.assertTrue(table.columns["s"].is_static)
        self.assertEqual(table.columns["friends"].cql_type, "map<text, frozen<address>>")
        self.assertEqual(table.columns["v"].cql_type, "vector<float, 3>")
        self.assertEqual(list(table.indexes), ["meta_tags"])
        self.assertEqual(list(table.views), ["by_b"])
        self.assertEqual(keyspace.user_types["address"].field_names, ["street", "zip"])
        for text in [keyspace.export_as_string(), metadata.keyspaces["system_schema"].export_as_string()]:
            self.assertIn("CREATE TABLE", text)
        views = metadata.keyspaces["system_views"]
        self.assertTrue(views.virtual)
        self.assertEqual([column.name for column in views.tables["clients"].primary_key], ["address", "port"])
        clients = self.session.execute("SELECT * FROM system_views.clients").all()
        self.assertTrue(clients and all("Python Driver" in client.driver_name for client in clients))
        self.assertEqual({client.connection_stage for client in clients}, {"ready"})
        self.assertTrue(all(client.request_count > 0 for client in clients))
        local = self.session.execute("SELECT rpc_address, rpc_port FROM system.local").one()
        self.assertEqual((local.rpc_address, local.rpc_port), ("127.0.0.1", self.server.port))
        # What the driver exports can be executed again.
        again = keyspace.export_as_string().replace("ks.", "again.").replace("KEYSPACE ks", "KEYSPACE again")
        for statement in again.split(";"):
            if statement.strip():
                self.session.execute(statement)
        self.assertEqual(set(metadata.keyspaces["again"].tables), set(keyspace.tables))

    def test_every_type(self):
        self.session.execute("CREATE TYPE point (x int, y double)")
        self.session.execute("""CREATE TABLE types (id int PRIMARY KEY, a ascii, b bigint, c blob, d boolean, e date, f decimal,
            g double, h duration, i float, j inet, k smallint, l text, m time, n timestamp, o timeuuid, p tinyint, q uuid,
            r varint, s list<int>, t set<text>, u map<text, int>, v frozen<list<frozen<map<int, text>>>>, w tuple<int, text>,
            x frozen<point>, y vector<float, 3>, z map<text, frozen<point>>)""")

        class Point:
            def __init__(self, x, y):
                self.x, self.y = x, y

        self.cluster.register_user_type("ks", "point", Point)
        columns = "id " + " ".join("abcdefghijklmnopqrstuvwxyz")
        names = columns.split()
        insert = self.session.prepare(
            "INSERT INTO types (%s) VALUES (%s)" % (", ".join(names), ", ".join("?" for _ in names)))
        values = [
            1, "ascii", -2 ** 62, b"\x00\xff", True, Date(datetime.date(1950, 2, 3)), decimal.Decimal("-12345678901234567890.0123"),
            1.5, Duration(14, 3, 5 * 10 ** 9), 0.25, "2001:db8::1", -300, "text é",
            Time(3661 * 10 ** 9 + 7), datetime.datetime(2024, 2, 29, 12, 30, 1, 250000), uuid.uuid1(), -5, uuid.uuid4(), -2 ** 100,
            [3, 1, 2], {"b", "a"}, {"k": 1, "l": 2}, [{1: "x"}, {2: "y"}], (7, None), Point(3, 4.5), [1.0, 2.0, 3.5],
            {"p": Point(1, 2.0)},
        ]
        self.session.execute(insert, values)
        row = self.session.execute("SELECT * FROM types WHERE id = 1").one()
        got = [getattr(row, name) for name in names]
        for name, expected, value in zip(names, values, got):
            if name == "x":
                self.assertEqual((value.x, value.y), (expected.x, expected.y))
            elif name == "z":
                self.assertEqual({key: (p.x, p.y) for key, p in value.items()}, {"p": (1, 2.0)})
            else:
                self.assertEqual(value, expected, name)
        self.session.execute(insert, [2] + [None] * (len(names) - 1))
        row = self.session.execute("SELECT * FROM types WHERE id = 2").one()
        self.assertTrue(all(getattr(row, name) is None for name in names[1:]))
        self.session.execute("CREATE TABLE counters (id int PRIMARY KEY, n counter)")
        self.session.execute("UPDATE counters SET n = n + 5 WHERE id = 1")
        self.assertEqual(self.session.execute("SELECT n FROM counters").one().n, 5)

    def test_paging(self):
        self.session.execute("CREATE TABLE pages (a int, b int, v text, PRIMARY KEY (a, b))")
        insert = self.session.prepare("INSERT INTO pages (a, b, v) VALUES (?, ?, ?)")
        results = execute_concurrent_with_args(
            self.session, insert, [(i % 3, i, "x" * 50) for i in range(1050)], concurrency=100)
        self.assertTrue(all(result.success for result in results))
        statement = SimpleStatement("SELECT b FROM pages", fetch_size=100)
        self.assertEqual(sorted(row.b for row in self.session.execute(statement)), list(range(1050)))
        select = self.session.prepare("SELECT b FROM pages WHERE a = ?")
        select.fetch_size = 7
        page = self.session.execute(select, [1])
        self.assertEqual(len(page.current_rows), 7)
        rest = self.session.execute(select, [1], paging_state=page.paging_state)
        self.assertEqual([row.b for row in rest][:2], [22, 25])
        self.assertEqual(len(self.session.execute(select, [1]).all()), 350)

    def test_batches(self):
        self.session.execute("CREATE TABLE batches (a int, b int, v text, PRIMARY KEY (a, b))")
        insert = self.session.prepare("INSERT INTO batches (a, b, v) VALUES (?, ?, ?)")
        for kind in [BatchType.LOGGED, BatchType.UNLOGGED]:
            batch = BatchStatement(batch_type=kind, consistency_level=ConsistencyLevel.LOCAL_QUORUM)
            for index in range(20):
                batch.add(insert, (1, index, "v%d" % index))
            batch.add("INSERT INTO batches (a, b, v) VALUES (1, 99, 'text')")
            batch.add(SimpleStatement("DELETE FROM batches WHERE a = 1 AND b = %s"), (3,))
            self.session.execute(batch)
            self.assertEqual(len(self.session.execute("SELECT * FROM batches").all()), 20)
        counter = BatchStatement(batch_type=BatchType.COUNTER)
        counter.add("INSERT INTO batches (a, b) VALUES (1, 1)")
        with self.assertRaises(InvalidRequest):
            self.session.execute(counter)
        large = BatchStatement(batch_type=BatchType.UNLOGGED)
        for index in range(20):
            large.add(insert, (index, 1, "x" * 1000))
        future = self.session.execute_async(large)
        future.result()
        self.assertTrue(any("exceeding specified threshold" in warning for warning in future.warnings))

    def test_conditions(self):
        self.session.execute("CREATE TABLE lwt (a int PRIMARY KEY, v int)")
        insert = self.session.prepare("INSERT INTO lwt (a, v) VALUES (?, ?) IF NOT EXISTS")
        self.assertTrue(self.session.execute(insert, (1, 1)).was_applied)
        refused = self.session.execute(insert, (1, 2))
        self.assertFalse(refused.was_applied)
        self.assertEqual(refused.one(), (False, 1, 1))
        update = self.session.prepare("UPDATE lwt SET v = ? WHERE a = 1 IF v = ?")
        update.serial_consistency_level = ConsistencyLevel.LOCAL_SERIAL
        self.assertTrue(self.session.execute(update, (5, 1)).was_applied)
        self.assertEqual(self.session.execute(update, (6, 1)).one(), (False, 5))

    def test_schema_changes(self):
        self.session.execute("CREATE TABLE changing (a int PRIMARY KEY, v int)")
        select = self.session.prepare("SELECT * FROM changing")
        self.session.execute("INSERT INTO changing (a, v) VALUES (1, 2)")
        self.assertEqual(self.session.execute(select).one(), (1, 2))
        other = connect(self.server, **self.options)
        session = other.connect("ks")
        metadata = self.cluster.metadata
        session.execute("ALTER TABLE changing ADD w text")
        self.assertEqual(self.session.execute(select).one(), (1, 2, None))
        self.assertEqual(self.session.execute(select).one(), (1, 2, None))
        # The control connection hears of it, and the metadata follows.
        for _ in range(100):
            if "w" in metadata.keyspaces["ks"].tables["changing"].columns:
                break
            time.sleep(0.1)
        self.assertIn("w", metadata.keyspaces["ks"].tables["changing"].columns)
        session.execute("DROP TABLE changing")
        for _ in range(100):
            if "changing" not in metadata.keyspaces["ks"].tables:
                break
            time.sleep(0.1)
        self.assertNotIn("changing", metadata.keyspaces["ks"].tables)
        other.shutdown()

    def test_errors(self):
        with self.assertRaises(cassandra.protocol.SyntaxException) as caught:
            self.session.execute("SELEKT")
        self.assertIn("line 1:0 no viable alternative at input 'SELEKT'", str(caught.exception))
        with self.assertRaises(InvalidRequest):
            self.session.execute("SELECT * FROM nowhere")
        with self.assertRaises(AlreadyExists) as caught:
            self.session.execute("CREATE KEYSPACE ks " + REPLICATION)
        self.assertEqual((caught.exception.keyspace, caught.exception.table), ("ks", ""))
        with self.assertRaises(cassandra.Unauthorized):
            self.session.execute("INSERT INTO system.local (key) VALUES ('x')")

    def test_tracing(self):
        for statement in ["SELECT * FROM system.local", SimpleStatement("SELECT * FROM system_schema.tables")]:
            trace = self.session.execute(statement, trace=True).get_query_trace(max_wait_sec=30)
            self.assertTrue(trace.events)
            self.assertEqual(trace.request_type, "Execute CQL3 query")

    def test_timestamps_and_named_values(self):
        self.session.execute("CREATE TABLE stamps (a int PRIMARY KEY, v int)")
        self.session.execute("INSERT INTO stamps (a, v) VALUES (%(a)s, %(v)s)", {"a": 1, "v": 2})
        insert = self.session.prepare("INSERT INTO stamps (a, v) VALUES (:a, :v) USING TIMESTAMP :t")
        self.session.execute(insert, {"a": 2, "v": 3, "t": 1234})
        row = self.session.execute("SELECT v, writetime(v) AS w FROM stamps WHERE a = 2").one()
        self.assertEqual(row, (3, 1234))
        # Left out is unset: the column keeps what it has.
        self.session.execute(self.session.prepare("INSERT INTO stamps (a, v) VALUES (?, ?)"), {"a": 1})
        self.assertEqual(self.session.execute("SELECT v FROM stamps WHERE a = 1").one().v, 2)

    def test_large_values(self):
        self.session.execute("CREATE TABLE large (a int PRIMARY KEY, v blob)")
        insert = self.session.prepare("INSERT INTO large (a, v) VALUES (?, ?)")
        value = os.urandom(700_000) + b"\x00" * 2_000_000
        self.session.execute(insert, (1, value))
        self.assertEqual(self.session.execute("SELECT v FROM large").one().v, value)


class Version4(Versions, unittest.TestCase):
    options = {"protocol_version": ProtocolVersion.V4}


class Version5(Versions, unittest.TestCase):
    options = {"protocol_version": ProtocolVersion.V5}


class Version4Compressed(Versions, unittest.TestCase):
    options = {"protocol_version": ProtocolVersion.V4, "compression": "lz4"}


class Version5Compressed(Versions, unittest.TestCase):
    options = {"protocol_version": ProtocolVersion.V5, "compression": "lz4"}


class Negotiated(unittest.TestCase):
    def test_the_driver_finds_version_5(self):
        with Server() as server:
            cluster = connect(server)
            cluster.connect()
            self.assertEqual(cluster.protocol_version, ProtocolVersion.V5)
            cluster.shutdown()


class Life(unittest.TestCase):
    def test_what_was_written_is_there_after_a_restart(self):
        directory = tempfile.mkdtemp(prefix="shopstream-clients-")
        server = Server("--synced", directory=directory)
        server.__enter__()
        cluster = connect(server)
        session = cluster.connect()
        session.execute("CREATE KEYSPACE ks " + REPLICATION)
        session.execute("CREATE TABLE ks.t (a int PRIMARY KEY)")
        session.execute("INSERT INTO ks.t (a) VALUES (1)")
        self.assertEqual(server.stop(signal.SIGINT), 0)
        cluster.shutdown()
        server.process.stdout.close()
        with Server(directory=directory) as server:
            cluster = connect(server)
            self.assertEqual(cluster.connect("ks").execute("SELECT a FROM t").one().a, 1)
            cluster.shutdown()

    def test_an_address_beyond_the_loopback_needs_users(self):
        result = subprocess.run(
            [SHOPSTREAM, "serve", "--data", tempfile.mkdtemp(), "--cql", "0.0.0.0:0"], capture_output=True, text=True)
        self.assertNotEqual(result.returncode, 0)
        self.assertIn("name users", result.stderr)


class Secured(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.directory = tempfile.mkdtemp(prefix="shopstream-clients-")
        users, cls.certificate, key = (os.path.join(cls.directory, name) for name in ("users", "cert.pem", "key.pem"))
        line = subprocess.run([SHOPSTREAM, "user", "ann", "--iterations", "1000"], input="s3cret\n", capture_output=True, text=True, check=True)
        with open(users, "w") as file:
            file.write(line.stdout)
        subprocess.run(
            ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-keyout", key, "-out", cls.certificate, "-days", "2",
             "-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost,IP:127.0.0.1"],
            check=True, capture_output=True)
        cls.server = Server(
            "--users", users, "--tls-certificate", cls.certificate, "--tls-key", key, directory=cls.directory).__enter__()

    @classmethod
    def tearDownClass(cls):
        cls.server.__exit__()

    def options(self, password):
        context = ssl.create_default_context(cafile=self.certificate)
        return {
            "ssl_context": context, "ssl_options": {"server_hostname": "localhost"},
            "auth_provider": PlainTextAuthProvider("ann", password),
        }

    def test_the_right_password_over_tls(self):
        for version in [ProtocolVersion.V4, ProtocolVersion.V5]:
            cluster = connect(self.server, protocol_version=version, **self.options("s3cret"))
            self.assertEqual(cluster.connect().execute("SELECT key FROM system.local").one().key, "local")
            cluster.shutdown()

    def test_a_wrong_password(self):
        cluster = connect(self.server, **self.options("secret"))
        with self.assertRaises(NoHostAvailable) as caught:
            cluster.connect()
        self.assertIn("Provided username ann and/or password are incorrect", str(caught.exception))
        cluster.shutdown()


if __name__ == "__main__":
    unittest.main()
