package main

import (
	"context"
	"sync"
)

// nest runs two parts of which the inner one needs the outer one: when the
// context ends, the inner ends first and the outer then, so that the inner's last
// words are heard. When either ends, so does the other. The outer's error says
// more: the inner's may only follow from it.
func nest(ctx context.Context, outer, inner func(context.Context) error) error {
	outerCtx, endOuter := context.WithCancel(context.WithoutCancel(ctx))
	innerCtx, endInner := context.WithCancel(ctx)
	defer endOuter()
	defer endInner()
	var outerErr error
	var wg sync.WaitGroup
	wg.Go(func() {
		outerErr = outer(outerCtx)
		endInner()
	})
	innerErr := inner(innerCtx)
	endOuter()
	wg.Wait()
	if outerErr != nil {
		return outerErr
	}
	return innerErr
}
