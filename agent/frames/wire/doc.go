// Package wire is what every decoder of frames needs: the framing around a
// discovery protocol, and the rules by which outside bytes become text.
//
// It is pure, keeps nothing, and may be called by anyone at any time. Nothing in
// it allocates for a frame that is of no interest.
package wire
