package agent

import (
	"io"

	"cassini/bpf"
)

// opened is a kernel side, or what keeps it away.
type opened[K io.Closer] struct {
	side K // good without err
	err  error
}

func (o opened[K]) close() error {
	if o.err != nil {
		return nil
	}
	return o.side.Close()
}

// opening opens a kernel side while others are opened. What it sends, once, is the
// receiver's.
func opening[K io.Closer](types *bpf.Types, open func(*bpf.Types) (K, error)) <-chan opened[K] {
	result := make(chan opened[K], 1)
	go func() {
		side, err := open(types)
		result <- opened[K]{side, err}
	}()
	return result
}
