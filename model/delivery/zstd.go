package delivery

import (
	"errors"
	"fmt"

	"github.com/klauspost/compress/zstd"
)

// Encoding is the name of the compression in Content-Encoding and Accept-Encoding
// (RFC 8878). A manager says that it takes it by Accept-Encoding in its answers (RFC 7694).
const Encoding = "zstd"

// ErrTooLarge says that something is larger than what is taken, once decompressed.
var ErrTooLarge = errors.New("too large")

// ErrCompressed says that something is not whole zstd.
var ErrCompressed = errors.New("not valid zstd")

// worthwhile is from how many bytes on compression pays for its head.
const worthwhile = 256

// window is how far back repetition is looked for, in bytes: documents of a kind stand
// beside each other, and a small one keeps an agent small.
const window = 128 << 10

// maxWindow is what a decoder takes at most; RFC 8878 recommends to take as much.
const maxWindow = 8 << 20

// Codec compresses and decompresses. It is safe for concurrent use and has no goroutine.
type Codec struct {
	limit int
	in    *zstd.Decoder
	out   *zstd.Encoder
}

// NewCodec makes a codec that decompresses to so many bytes at most.
func NewCodec(limit int) (*Codec, error) {
	in, err := zstd.NewReader(nil, zstd.WithDecoderConcurrency(0), zstd.WithDecoderLowmem(true),
		zstd.WithDecoderMaxMemory(uint64(limit)), zstd.WithDecoderMaxWindow(maxWindow))
	if err != nil {
		return nil, fmt.Errorf("make a decoder of zstd: %w", err)
	}
	out, err := zstd.NewWriter(nil, zstd.WithEncoderConcurrency(1), zstd.WithLowerEncoderMem(true),
		zstd.WithEncoderLevel(zstd.SpeedFastest), zstd.WithWindowSize(window))
	if err != nil {
		return nil, fmt.Errorf("make an encoder of zstd: %w", err)
	}
	return &Codec{limit: limit, in: in, out: out}, nil
}

// Compress is b compressed, or false where that makes it no smaller.
func (c *Codec) Compress(b []byte) ([]byte, bool) {
	if len(b) < worthwhile {
		return b, false
	}
	small := c.out.EncodeAll(b, make([]byte, 0, len(b)/4))
	return small, len(small) < len(b)
}

// Decompress undoes Compress. It stops at the limit, whatever b says of its size. Errors
// wrap ErrTooLarge or ErrCompressed.
func (c *Codec) Decompress(b []byte) ([]byte, error) {
	all, err := c.in.DecodeAll(b, nil)
	switch {
	case errors.Is(err, zstd.ErrDecoderSizeExceeded) || errors.Is(err, zstd.ErrWindowSizeExceeded) || len(all) > c.limit:
		return nil, fmt.Errorf("%w: %d bytes of zstd hold more than %d", ErrTooLarge, len(b), c.limit)
	case err != nil:
		return nil, fmt.Errorf("%w: %w", ErrCompressed, err)
	}
	return all, nil
}
