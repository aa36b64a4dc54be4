// Package imports holds the rule that arrows between packages point one way, as
// a test.
package imports
