// FulfilmentText.swift — the fulfilment message as JSON.

internal import DocumentEngine

enum FulfilmentText {
    static func encode(_ request: FulfilmentRequest) -> String {
        let message: Document = [
            "orderId": .string(request.orderId), "userId": .string(request.userId),
            "productId": .string(request.productId), "amount": .int(request.amount),
        ]
        return ExtendedJSON.relaxed(message)
    }

    /// The request in a message body; nil if the body is something else.
    static func decode(_ body: String) -> FulfilmentRequest? {
        guard let document = try? ExtendedJSON.document(body), let orderID = document["orderId"]?.stringValue,
            let userID = document["userId"]?.stringValue, let productID = document["productId"]?.stringValue,
            let amount = document["amount"]?.intValue
        else { return nil }
        return FulfilmentRequest(orderId: orderID, userId: userID, productId: productID, amount: amount)
    }
}
