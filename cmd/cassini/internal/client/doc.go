// Package client speaks to the HTTP API of a manager: one method a question.
package client
