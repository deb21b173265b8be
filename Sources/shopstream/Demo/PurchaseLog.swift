// PurchaseLog.swift — purchases: read from a file of invoices, or generated in the same shape.

internal import ShopStreamKit

/// Who bought what, in order.
struct PurchaseLog: Sendable {
    struct Product: Sendable {
        var id: String
        var title: String
    }

    struct Purchase: Sendable {
        /// Index into `customers`.
        var customer: Int
        /// Index into `products`.
        var product: Int
        var amountCents: Int
        var orderID: String
    }

    /// Where the purchases come from, in a sentence.
    var origin: String
    var customers: [String] = []
    var products: [Product] = []
    var purchases: [Purchase] = []

    private var customerIndex: [String: Int] = [:]
    private var productIndex: [String: Int] = [:]

    init(origin: String) {
        self.origin = origin
    }

    mutating func add(customer: String, product: String, title: String, amountCents: Int, orderID: String) {
        let customerNumber = customerIndex[customer] ?? customers.count
        if customerNumber == customers.count {
            customers.append(customer)
            customerIndex[customer] = customerNumber
        }
        let productNumber = productIndex[product] ?? products.count
        if productNumber == products.count {
            products.append(Product(id: product, title: title))
            productIndex[product] = productNumber
        }
        purchases.append(
            Purchase(customer: customerNumber, product: productNumber, amountCents: amountCents, orderID: orderID))
    }

    func request(_ purchase: Purchase) -> OrderRequest {
        OrderRequest(
            userID: customers[purchase.customer], productID: products[purchase.product].id,
            amountCents: purchase.amountCents, orderID: purchase.orderID)
    }

    func title(of productID: String) -> String {
        productIndex[productID].map { products[$0].title } ?? productID
    }

    // MARK: Counting by hand

    /// The products with the most purchases.
    func mostSold(_ count: Int) -> [Int] {
        var sold = Array(repeating: 0, count: products.count)
        for purchase in purchases { sold[purchase.product] += 1 }
        return Array(sold.indices.sorted { (sold[$0], $1) > (sold[$1], $0) }.prefix(count))
    }

    /// The customer with the most purchases.
    var bestCustomer: Int {
        var bought = Array(repeating: 0, count: customers.count)
        for purchase in purchases { bought[purchase.customer] += 1 }
        return bought.indices.max { bought[$0] < bought[$1] } ?? 0
    }

    /// How many of a product's buyers bought each other product, most first.
    func alsoBought(_ product: Int) -> [Int] {
        let buyers = Set(purchases.lazy.filter { $0.product == product }.map(\.customer))
        var counted = Set<Int>()
        var counts = Array(repeating: 0, count: products.count)
        for purchase in purchases where buyers.contains(purchase.customer) && purchase.product != product {
            if counted.insert(purchase.customer * products.count + purchase.product).inserted {
                counts[purchase.product] += 1
            }
        }
        return counts.filter { $0 > 0 }.sorted(by: >)
    }

    // MARK: Generating

    /// Purchases with the skew of real ones: a few customers and products make most of them.
    static func generated(count: Int, seed: UInt64) -> PurchaseLog {
        var log = PurchaseLog(origin: "generated from seed \(seed)")
        var random = SeededRandom(seed: seed)
        let customerCount = max(10, count / 20)
        let productCount = max(20, count / 40)
        for index in 0..<count {
            // Squaring a uniform number favours the small ones, as popularity does.
            let customer = Int(Double(customerCount) * squared(&random))
            let product = Int(Double(productCount) * squared(&random))
            log.add(
                customer: "customer_\(customer)", product: "product_\(product)", title: "Product \(product)",
                amountCents: Int.random(in: 99...9999, using: &random), orderID: "gen_\(index)")
        }
        return log
    }

    private static func squared(_ random: inout SeededRandom) -> Double {
        let uniform = Double.random(in: 0..<1, using: &random)
        return uniform * uniform
    }
}
