package wire

import (
	"crypto/cipher"
	"encoding/binary"
	"fmt"
)

// Seal makes a control datagram: the header with its tag, the sender's name, and the
// message sealed. The header's nonce must never have been used with this key. Errors
// wrap ErrTooLong or ErrMalformed.
func Seal(h Header, tag TagKey, sender string, key cipher.AEAD, m Message) ([]byte, error) {
	if sender == "" || len(sender) > MaxHost {
		return nil, fmt.Errorf("seal message of %q: %w", sender, ErrMalformed)
	}
	h.Type = m.Type
	to := AppendHeader(make([]byte, 0, room(m.Type)), h, tag)
	to = append(append(to, byte(len(sender))), sender...)
	all, err := appendBody(to, m)
	if err != nil {
		return nil, fmt.Errorf("seal %s: %w", m.Type, err)
	}
	to, body := all[:len(to)], all[len(to):]
	if len(all)+key.Overhead() > MaxDatagram {
		return nil, fmt.Errorf("seal %s of %d bytes: %w", m.Type, len(body), ErrTooLong)
	}
	return key.Seal(to, nonce(h), body, to), nil // in place
}

// room is what a message takes sealed, as a rule, in bytes.
func room(t Type) int {
	if t == Instruction {
		return MaxDatagram
	}
	return 256
}

// Sender is the host that a control datagram says to be from; nothing is proved yet.
func Sender(b []byte) (string, error) {
	if len(b) <= HeaderSize || len(b) > MaxDatagram {
		return "", fmt.Errorf("read sender: %w", ErrTruncated)
	}
	n := int(b[HeaderSize])
	if n == 0 || n > MaxHost || len(b) < HeaderSize+1+n {
		return "", fmt.Errorf("read sender: %w", ErrMalformed)
	}
	return string(b[HeaderSize+1 : HeaderSize+1+n]), nil
}

// Open reads a control datagram whose header ParseHeader gave. Errors wrap ErrForged
// when the key does not fit, else ErrTruncated or ErrMalformed.
func Open(b []byte, h Header, key cipher.AEAD) (Message, error) {
	sender, err := Sender(b)
	if err != nil {
		return Message{}, err
	}
	open := HeaderSize + 1 + len(sender)
	body, err := key.Open(nil, nonce(h), b[open:], b[:open])
	if err != nil {
		return Message{}, fmt.Errorf("open %s: %w", h.Type, ErrForged)
	}
	m, err := parseBody(h.Type, body)
	if err != nil {
		return Message{}, fmt.Errorf("read %s: %w", h.Type, err)
	}
	return m, nil
}

// nonce is used once by an incarnation, even if the sender's count was lost.
func nonce(h Header) []byte {
	var n [12]byte
	binary.LittleEndian.PutUint32(n[:], uint32(h.Incarnation))
	binary.LittleEndian.PutUint64(n[4:], h.Nonce)
	return n[:]
}
