// The peer's side of the engine lines.

import BenchmarkKit

/// Inventory, orders and payments as tables, a purchase as a transaction with the same three conditional actions.
final class SQLiteOrders {
    private let database: SQLiteDatabase
    private let begin: SQLiteStatement
    private let takeFromStock: SQLiteStatement
    private let insertOrder: SQLiteStatement
    private let insertPayment: SQLiteStatement
    private let commit: SQLiteStatement
    private let selectItem: SQLiteStatement

    init(directory: String, workload: ShopWorkload, stock: Int) throws {
        database = try SQLiteDatabase(directory: directory)
        try database.execute(
            """
            CREATE TABLE inventory (product_id TEXT PRIMARY KEY, stock INTEGER, title TEXT) WITHOUT ROWID;
            CREATE TABLE orders (user_id TEXT, sk TEXT, product_id TEXT, amount_cents INTEGER, status TEXT,
                created_at TEXT, PRIMARY KEY (user_id, sk)) WITHOUT ROWID;
            CREATE TABLE payments (order_id TEXT, sk TEXT, amount_cents INTEGER, status TEXT,
                PRIMARY KEY (order_id, sk)) WITHOUT ROWID;
            """)
        begin = try database.prepare("BEGIN IMMEDIATE")
        takeFromStock = try database.prepare(
            "UPDATE inventory SET stock = stock - 1 WHERE product_id = ? AND stock > 0")
        insertOrder = try database.prepare("INSERT INTO orders VALUES (?, ?, ?, ?, 'PENDING', ?)")
        insertPayment = try database.prepare("INSERT INTO payments VALUES (?, 'INTENT', ?, 'INITIATED')")
        commit = try database.prepare("COMMIT")
        selectItem = try database.prepare("SELECT stock, title FROM inventory WHERE product_id = ?")
        try fillInventory(workload: workload, stock: stock)
    }

    private func fillInventory(workload: ShopWorkload, stock: Int) throws {
        let insert = try database.prepare("INSERT INTO inventory VALUES (?, ?, ?)")
        try begin.run()
        for index in 0..<workload.productCount {
            insert.bind(workload.product(index), at: 1)
            insert.bind(stock, at: 2)
            insert.bind("Product number \(index)", at: 3)
            try insert.run()
        }
        try commit.run()
    }

    func purchase(_ index: Int, of workload: ShopWorkload) throws {
        try begin.run()
        takeFromStock.bind(workload.product(ofOrder: index), at: 1)
        try takeFromStock.run()
        guard database.changes == 1 else { throw SQLiteError(message: "out of stock") }
        insertOrder.bind(workload.user(ofOrder: index), at: 1)
        insertOrder.bind("ORDER#\(workload.order(index))", at: 2)
        insertOrder.bind(workload.product(ofOrder: index), at: 3)
        insertOrder.bind(workload.amountCents(ofOrder: index), at: 4)
        insertOrder.bind("2025-03-10T14:00:00Z", at: 5)
        try insertOrder.run()
        insertPayment.bind(workload.order(index), at: 1)
        insertPayment.bind(workload.amountCents(ofOrder: index), at: 2)
        try insertPayment.run()
        try commit.run()
    }

    /// The product's stock.
    func stock(of product: String) throws -> Int {
        var stock = 0
        selectItem.bind(product, at: 1)
        try selectItem.forEachRow { stock = selectItem.integer(at: 0) }
        return stock
    }
}

/// Profiles as JSON text with a check, a partial unique index on the verified email and an index on the user id.
final class SQLiteProfiles {
    private let database: SQLiteDatabase
    private let insertProfile: SQLiteStatement
    private let selectByUser: SQLiteStatement

    init(directory: String) throws {
        database = try SQLiteDatabase(directory: directory)
        try database.execute(
            """
            CREATE TABLE users (id INTEGER PRIMARY KEY, profile TEXT CHECK (
                json_type(profile, '$.userId') = 'text' AND json_type(profile, '$.email') = 'text'
                AND json_extract(profile, '$.email') LIKE '_%@_%._%' AND json_type(profile, '$.createdAt') = 'integer'));
            CREATE UNIQUE INDEX unique_verified_email ON users (json_extract(profile, '$.email'))
                WHERE json_extract(profile, '$.emailVerified') = 1;
            CREATE UNIQUE INDEX unique_user ON users (json_extract(profile, '$.userId'));
            """)
        insertProfile = try database.prepare("INSERT INTO users (profile) VALUES (?)")
        selectByUser = try database.prepare("SELECT profile FROM users WHERE json_extract(profile, '$.userId') = ?")
    }

    func insert(_ json: String) throws {
        insertProfile.bind(json, at: 1)
        try insertProfile.run()
    }

    /// In one transaction.
    func insert(_ bulk: ArraySlice<String>) throws {
        try database.execute("BEGIN")
        for json in bulk { try insert(json) }
        try database.execute("COMMIT")
    }

    func findIsPresent(user: String) throws -> Bool {
        var isPresent = false
        selectByUser.bind(user, at: 1)
        try selectByUser.forEachRow { isPresent = selectByUser.byteCount(at: 0) > 0 }
        return isPresent
    }
}

/// Purchases as rows, also-bought as a self-join over two covering indexes.
final class SQLitePurchases {
    private let database: SQLiteDatabase
    private let alsoBought: SQLiteStatement

    init(directory: String, workload: ShopWorkload, purchases: Int) throws {
        database = try SQLiteDatabase(directory: directory)
        try database.execute(
            """
            CREATE TABLE purchases (buyer INTEGER, product INTEGER, PRIMARY KEY (buyer, product)) WITHOUT ROWID;
            CREATE INDEX by_product ON purchases (product, buyer);
            """)
        alsoBought = try database.prepare(
            """
            SELECT other.product, count(*) AS buyers FROM purchases mine JOIN purchases other ON other.buyer = mine.buyer
            WHERE mine.product = ?1 AND other.product <> ?1
            GROUP BY other.product ORDER BY buyers DESC, other.product LIMIT 10
            """)
        try fill(workload: workload, purchases: purchases)
    }

    private func fill(workload: ShopWorkload, purchases: Int) throws {
        let insert = try database.prepare("INSERT OR IGNORE INTO purchases VALUES (?, ?)")
        try database.execute("BEGIN")
        for index in 0..<purchases {
            let (buyer, product) = workload.purchase(index)
            insert.bind(buyer, at: 1)
            insert.bind(product, at: 2)
            try insert.run()
        }
        try database.execute("COMMIT; ANALYZE")
    }

    /// The counts of the ten products bought most by the buyers of `product`.
    func alsoBoughtCounts(_ product: Int) throws -> [Int] {
        var counts: [Int] = []
        alsoBought.bind(product, at: 1)
        try alsoBought.forEachRow { counts.append(alsoBought.integer(at: 1)) }
        return counts
    }
}
