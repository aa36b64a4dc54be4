package pace

import (
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"
)

func TestLate(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var l Late
		var ran atomic.Int32
		run := func() { ran.Add(1) }
		expect := func(want int32) {
			t.Helper()
			synctest.Wait()
			if ran.Load() != want {
				t.Errorf("ran %d times, want %d", ran.Load(), want)
			}
		}
		l.Begin(time.Second, run)
		l.Begin(time.Millisecond, run) // one is due
		time.Sleep(999 * time.Millisecond)
		expect(0)
		time.Sleep(time.Millisecond)
		expect(1)
		l.Begin(time.Second, func() { run(); l.Begin(time.Second, run) }) // by itself
		time.Sleep(2 * time.Second)
		expect(3)
		l.Begin(time.Second, run)
		l.Stop()
		l.Begin(time.Second, run)
		time.Sleep(time.Minute)
		expect(3)
	})
}
