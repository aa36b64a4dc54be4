package ast

import "crypto/sha256"

// Keys tells expressions that say the same from others. What it has looked at it
// keeps, so that an expression and all its parts take time in proportion to their
// size. It is not safe for concurrent use.
type Keys struct{ known map[Expr]string }

// NewKeys makes one that has seen nothing yet.
func NewKeys() *Keys { return &Keys{known: make(map[Expr]string)} }

// Of is the same for two expressions that say the same, and for no others.
func (k *Keys) Of(e Expr) string {
	if key, ok := k.known[e]; ok {
		return key
	}
	sum := sha256.Sum256([]byte(printer{k.Of}.print(e)))
	key := string(sum[:])
	k.known[e] = key
	return key
}
