package api

import (
	"context"
	"errors"
	"net/http"
	"testing"
	"testing/synctest"
	"time"

	"cassini/manager/graph"
)

// replaying is a manager whose graphs of the past take until somebody lets them fail.
type replaying struct {
	*backend
	asked, fail chan struct{}
}

func (b replaying) Graph(ctx context.Context, at time.Time) (*graph.Graph, error) {
	if at.IsZero() {
		return b.backend.Graph(ctx, at)
	}
	close(b.asked)
	<-b.fail
	return nil, errors.New("no such log")
}

// looked is a context that holds up who first looks whether it has ended.
type looked struct {
	context.Context
	begun, goOn chan struct{}
}

func (l looked) Err() error {
	if !closed(l.begun) {
		close(l.begun)
		<-l.goOn
	}
	return l.Context.Err()
}

// TestTheGraphOfNowIsSummedUpMeanwhile has the sums of the graph of now begin while the other one is replayed, by the
// context of who asked, and no answer leave them behind.
func TestTheGraphOfNowIsSummedUpMeanwhile(t *testing.T) {
	for _, target := range []string{"/api/v1/diff?from=", "/api/v1/overview?since="} {
		synctest.Test(t, func(t *testing.T) {
			b := replaying{filled(t), make(chan struct{}), make(chan struct{})}
			c := config(b.backend)
			c.Backend = b
			ctx := looked{context.Background(), make(chan struct{}), make(chan struct{})}
			answered := make(chan struct{})
			go func() {
				defer close(answered)
				w := do(New(c), "GET", target+"2026-11-20T19:00:00Z", "", func(r *http.Request) { *r = *r.WithContext(ctx) })
				if w.Code != http.StatusInternalServerError {
					t.Errorf("%s: %d %s", target, w.Code, w.Body)
				}
			}()
			synctest.Wait()
			if !closed(b.asked) || !closed(ctx.begun) {
				t.Errorf("%s: replay has begun: %t, sums: %t", target, closed(b.asked), closed(ctx.begun))
			}
			close(b.fail)
			synctest.Wait()
			if closed(answered) {
				t.Errorf("%s: answered while sums are made", target)
			}
			close(ctx.goOn)
			synctest.Wait()
			if !closed(answered) {
				t.Errorf("%s: no answer", target)
			}
		})
	}
}

func closed(c chan struct{}) bool {
	select {
	case <-c:
		return true
	default:
		return false
	}
}
