// Package cookbook holds docs/queries.md to its word: a test makes the estate that it
// speaks of from documents, as agents send them, and runs every query.
package cookbook
