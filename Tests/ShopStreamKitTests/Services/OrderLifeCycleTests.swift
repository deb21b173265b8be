// Every transition of an order, legal and illegal, with what it does to stock and payment.

import ShopStreamKit
import Testing

@Suite("Order life cycle")
struct OrderLifeCycleTests {
    enum Step: CaseIterable, Sendable {
        case capture, failPayment, fulfil, cancel

        var target: OrderStatus {
            switch self {
            case .capture: .paid
            case .failPayment: .paymentFailed
            case .fulfil: .fulfilled
            case .cancel: .cancelled
            }
        }

        func take(_ orders: any OrderService) async throws {
            switch self {
            case .capture: try await orders.capturePayment(of: "ord_1", by: "usr_1")
            case .failPayment: try await orders.failPayment(of: "ord_1", by: "usr_1")
            case .fulfil: try await orders.fulfil("ord_1", by: "usr_1")
            case .cancel: try await orders.cancel("ord_1", by: "usr_1")
            }
        }
    }

    /// How an order gets into a state.
    private func path(to status: OrderStatus) -> [Step] {
        switch status {
        case .pending: []
        case .paid: [.capture]
        case .paymentFailed: [.failPayment]
        case .fulfilled: [.capture, .fulfil]
        case .cancelled: [.cancel]
        }
    }

    /// What a legal step leaves: the payment and the stock, of which there was one unit before the order.
    private func outcome(of step: Step, from status: OrderStatus) -> (payment: PaymentStatus, stock: Int)? {
        switch (status, step) {
        case (.pending, .capture): (.captured, 0)
        case (.pending, .failPayment): (.failed, 1)
        case (.pending, .cancel), (.paid, .cancel): (.voided, 1)
        case (.paid, .fulfil): (.captured, 0)
        default: nil
        }
    }

    @Test(
        "a step from a state is taken whole, or refused and changes nothing", arguments: OrderStatus.allCases,
        Step.allCases)
    func transition(status: OrderStatus, step: Step) async throws {
        let shop = try Machine().open()
        try await shop.orders.setStock(1, of: "prod_001")
        _ = try await shop.orders.place(order("usr_1", "prod_001", "ord_1"))
        for step in path(to: status) { try await step.take(shop.orders) }
        let paymentBefore = try await shop.orders.payment(of: "ord_1")
        let stockBefore = try await shop.orders.stock(of: "prod_001")
        #expect(try await shop.orders.order("ord_1", by: "usr_1")?.status == status)

        let refusal = try await refusal { try await step.take(shop.orders) }

        let found = try await shop.orders.order("ord_1", by: "usr_1")?.status
        let payment = try await shop.orders.payment(of: "ord_1")
        let stock = try await shop.orders.stock(of: "prod_001")
        if let outcome = outcome(of: step, from: status) {
            #expect(refusal == nil)
            #expect(found == step.target)
            #expect(payment == outcome.payment)
            #expect(stock == outcome.stock)
        } else {
            #expect(refusal?.reason == .illegalTransition(from: status, to: step.target))
            #expect(found == status)
            #expect(payment == paymentBefore)
            #expect(stock == stockBefore)
        }
    }

    @Test("an order that is not there can't change", arguments: Step.allCases)
    func absent(step: Step) async throws {
        let shop = try Machine().open()
        let refusal = try await refusal { try await step.take(shop.orders) }
        #expect(refusal?.reason == .illegalTransition(from: nil, to: step.target))
        #expect(try shop.items(of: "Orders").isEmpty)
    }

    @Test("of 20 concurrent cancellations one succeeds: the unit goes back once")
    func concurrentCancellations() async throws {
        let shop = try Machine().open { $0.storage.backgroundWork = .threads }
        try await shop.orders.setStock(1, of: "prod_001")
        _ = try await shop.orders.place(order("usr_1", "prod_001", "ord_1"))
        let orders = shop.orders
        let successes = try await withThrowingTaskGroup(of: Bool.self) { group in
            for _ in 0..<20 { group.addTask { try await refusal { try await Step.cancel.take(orders) } == nil } }
            return try await group.reduce(into: 0) { $0 += $1 ? 1 : 0 }
        }
        #expect(successes == 1)
        #expect(try await shop.orders.stock(of: "prod_001") == 1)
        try await shop.close()
    }
}
