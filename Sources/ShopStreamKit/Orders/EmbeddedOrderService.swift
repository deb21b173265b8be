// EmbeddedOrderService.swift — the order service on the transactional table engine.

internal import TableEngine

struct EmbeddedOrderService: OrderService {
    let tables: TableStore
    let durability: Durability

    init(tables: TableStore, durability: Durability) throws {
        self.tables = tables
        self.durability = durability
        try OrderTables.create(in: tables)
    }

    private var clock: any StorageClock { tables.storage.clock }

    // MARK: Stock

    func setStock(_ units: Int, of productID: String) async throws {
        let item: Item = ["productId": .s(productID), "stock": .n(units)]
        _ = try await tables.putItem(PutItemRequest(table: OrderTables.inventory, item: item), durability: durability)
    }

    func stock(of productID: String) async throws -> Int? {
        try tables.getItem(["productId": .s(productID)], from: OrderTables.inventory)?["stock"]?.int
    }

    // MARK: Placing

    func place(_ request: OrderRequest) async throws -> PlacedOrder {
        let orderID = request.orderID ?? request.clientRequestToken.map { "ord_" + $0 } ?? Self.newOrderID()
        if request.clientRequestToken != nil, try await wasPlaced(orderID, request) {
            return PlacedOrder(orderID: orderID)
        }
        let transaction = TransactWriteItemsRequest([
            takeFromStock(request.productID),
            .put(newOrder(orderID, request)),
            .put(newPayment(orderID, request)),
        ])
        do {
            try await tables.transactWriteItems(transaction, durability: durability)
        } catch let error as TableError where error.code == .transactionCanceled {
            let refusal = placementRefusal(error)
            // The first of two concurrent calls with one token may have come between.
            if refusal.reason == .duplicateOrder, try await wasPlaced(orderID, request) {
                return PlacedOrder(orderID: orderID)
            }
            throw refusal
        }
        return PlacedOrder(orderID: orderID)
    }

    /// Whether the same request was accepted before under the same token. Read in a transaction, so that the answer is as
    /// durable as a placement's.
    private func wasPlaced(_ orderID: String, _ request: OrderRequest) async throws -> Bool {
        guard let token = request.clientRequestToken else { return false }
        let key = OrderTables.orderKey(orderID, request.userID)
        let found = try await tables.storage.write(durability) {
            try tables.getItem(key, from: OrderTables.orders, in: $0)
        }
        guard let item = found else { return false }
        return item["requestToken"]?.string == token && item["productId"]?.string == request.productID
            && item["amountCents"]?.int == request.amountCents
    }

    private func takeFromStock(_ productID: String) -> TransactWriteItem {
        .update(
            UpdateItemRequest(
                table: OrderTables.inventory, key: ["productId": .s(productID)], update: "SET stock = stock - :one",
                condition: "stock > :zero", values: [":one": 1, ":zero": 0]))
    }

    private func newOrder(_ orderID: String, _ request: OrderRequest) -> PutItemRequest {
        var item = OrderTables.orderKey(orderID, request.userID)
        item["productId"] = .s(request.productID)
        item["amountCents"] = .n(request.amountCents)
        item["status"] = .s(OrderStatus.pending.rawValue)
        item["createdAt"] = .n(Int(clock.now.milliseconds))
        item["requestToken"] = request.clientRequestToken.map { .s($0) }
        return PutItemRequest(table: OrderTables.orders, item: item, condition: "attribute_not_exists(SK)")
    }

    private func newPayment(_ orderID: String, _ request: OrderRequest) -> PutItemRequest {
        var item = OrderTables.paymentKey(orderID)
        item["amountCents"] = .n(request.amountCents)
        item["status"] = .s(PaymentStatus.initiated.rawValue)
        // An order's key holds its user, a payment's does not: without the condition, another user's order of the same id
        // would replace this payment.
        return PutItemRequest(table: OrderTables.payments, item: item, condition: "attribute_not_exists(SK)")
    }

    private func placementRefusal(_ error: TableError) -> OrderRefusal {
        let reasons = error.cancellationReasons
        let isDuplicate = reasons.dropFirst().contains { $0.code == .conditionalCheckFailed }
        return OrderRefusal(reason: isDuplicate ? .duplicateOrder : .outOfStock, cancellationReasons: reasons)
    }

    /// 128 random bits.
    private static func newOrderID() -> String {
        var random = SystemRandomNumberGenerator()
        let words = (0..<2).map { _ in String(random.next() as UInt64, radix: 16) }
        return "ord_" + words.map { String(repeating: "0", count: 16 - $0.count) + $0 }.joined()
    }

    // MARK: Life cycle

    func capturePayment(of orderID: String, by userID: String) async throws {
        try await move(
            orderID, userID, to: .paid, from: [.pending], payment: (.captured, [.initiated]), returnsUnit: false)
    }

    func failPayment(of orderID: String, by userID: String) async throws {
        try await move(
            orderID, userID, to: .paymentFailed, from: [.pending], payment: (.failed, [.initiated]), returnsUnit: true)
    }

    func fulfil(_ orderID: String, by userID: String) async throws {
        try await move(orderID, userID, to: .fulfilled, from: [.paid], payment: nil, returnsUnit: false)
    }

    func cancel(_ orderID: String, by userID: String) async throws {
        try await move(
            orderID, userID, to: .cancelled, from: [.pending, .paid], payment: (.voided, [.initiated, .captured]),
            returnsUnit: true)
    }

    /// Moves an order, its payment and the stock together, if the order is in one of the states it may come from.
    private func move(
        _ orderID: String, _ userID: String, to status: OrderStatus, from allowed: [OrderStatus],
        payment: (to: PaymentStatus, from: [PaymentStatus])?, returnsUnit: Bool
    ) async throws {
        let current = try await order(orderID, by: userID)
        guard let current, allowed.contains(current.status) else {
            throw OrderRefusal(
                reason: .illegalTransition(from: current?.status, to: status), cancellationReasons: [])
        }
        var items: [TransactWriteItem] = [
            .update(
                transition(
                    OrderTables.orders, OrderTables.orderKey(orderID, userID), to: status.rawValue,
                    from: allowed.map(\.rawValue)))
        ]
        if let payment {
            items.append(
                .update(
                    transition(
                        OrderTables.payments, OrderTables.paymentKey(orderID), to: payment.to.rawValue,
                        from: payment.from.map(\.rawValue))))
        }
        if returnsUnit {
            items.append(
                .update(
                    UpdateItemRequest(
                        table: OrderTables.inventory, key: ["productId": .s(current.productID)],
                        update: "SET stock = stock + :one", condition: "attribute_exists(productId)",
                        values: [":one": 1])))
        }
        do {
            try await tables.transactWriteItems(TransactWriteItemsRequest(items), durability: durability)
        } catch let error as TableError where error.code == .transactionCanceled {
            let found = try await order(orderID, by: userID)?.status
            throw OrderRefusal(
                reason: .illegalTransition(from: found, to: status), cancellationReasons: error.cancellationReasons)
        }
    }

    private func transition(_ table: String, _ key: Item, to status: String, from allowed: [String])
        -> UpdateItemRequest
    {
        var values: [String: AttributeValue] = [":to": .s(status)]
        for (index, state) in allowed.enumerated() { values[":from\(index)"] = .s(state) }
        let list = allowed.indices.map { ":from\($0)" }.joined(separator: ", ")
        return UpdateItemRequest(
            table: table, key: key, update: "SET #status = :to", condition: "#status IN (\(list))",
            names: ["#status": "status"], values: values)
    }

    // MARK: Reading

    func order(_ orderID: String, by userID: String) async throws -> Order? {
        try tables.getItem(OrderTables.orderKey(orderID, userID), from: OrderTables.orders).flatMap(OrderTables.order)
    }

    func orders(by userID: String) async throws -> [Order] {
        var request = QueryRequest(
            table: OrderTables.orders, keyCondition: "userId = :user AND begins_with(SK, :prefix)",
            values: [":user": .s(userID), ":prefix": .s(OrderTables.orderPrefix)])
        var orders: [Order] = []
        repeat {
            let page = try tables.query(request)
            orders += page.items.compactMap(OrderTables.order)
            request.exclusiveStartKey = page.lastEvaluatedKey
        } while request.exclusiveStartKey != nil
        return orders
    }

    func payment(of orderID: String) async throws -> PaymentStatus? {
        try tables.getItem(OrderTables.paymentKey(orderID), from: OrderTables.payments)?["status"]?.string
            .flatMap(PaymentStatus.init)
    }
}
