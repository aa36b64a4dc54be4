// Package screen shows a watch.Model on a terminal: it hands keys, sizes, times, events
// and pictures to the Model and draws its frames. Run blocks; the functions in Config
// are called from other goroutines, Ask never twice at once.
package screen

import (
	"context"
	"errors"
	"fmt"
	"os"
	"sync"
	"time"

	tea "charm.land/bubbletea/v2"

	"cassini/cmd/cassini/internal/watch"
	"cassini/model"
)

const (
	framesPerSecond = 20
	answerTimeout   = 10 * time.Second
	// soon is how long after a picture an event brings the next.
	soon = 250 * time.Millisecond
)

// Config is what Run needs.
type Config struct {
	Model    *watch.Model
	Interval time.Duration // between pictures
	In, Out  *os.File      // the terminal
	Env      []string
	Now      func() time.Time
	// Ask asks for a picture; want is Model.Wants.
	Ask func(ctx context.Context, want string) (watch.Picture, error)
	// Follow calls fn with events as they happen until the context ends.
	Follow func(ctx context.Context, fn func(model.Event))
}

// Run shows the Model until somebody quits or the context ends, which are no errors,
// and gives the terminal back as it was.
func Run(ctx context.Context, cfg Config) error {
	ctx, cancel := context.WithCancel(ctx)
	var tasks sync.WaitGroup
	defer tasks.Wait()
	defer cancel()
	p := tea.NewProgram(&state{cfg: cfg, ctx: ctx}, tea.WithContext(ctx), tea.WithInput(cfg.In), tea.WithOutput(cfg.Out), tea.WithEnvironment(cfg.Env),
		tea.WithFPS(framesPerSecond), tea.WithoutSignalHandler())
	tasks.Go(func() { cfg.Follow(ctx, func(e model.Event) { p.Send(heard(e)) }) })
	_, err := p.Run()
	if errors.Is(err, tea.ErrProgramKilled) && ctx.Err() != nil {
		return nil
	}
	if err != nil {
		return fmt.Errorf("show the terminal view: %w", err)
	}
	return nil
}

// Messages to the state.
type (
	tick    time.Time
	heard   model.Event
	picture watch.Picture
	failure struct {
		at  time.Time
		why string
	}
)

// state is the Model with when to ask.
type state struct {
	cfg    Config
	ctx    context.Context // of the one Run that this belongs to
	asking bool
	asked  time.Time
	due    time.Time
}

// Init asks for the first picture.
func (s *state) Init() tea.Cmd {
	s.cfg.Model.Tick(s.cfg.Now())
	return tea.Batch(s.ask(), s.tick())
}

// Update hands a message to the Model.
func (s *state) Update(msg tea.Msg) (tea.Model, tea.Cmd) {
	m := s.cfg.Model
	switch msg := msg.(type) {
	case tea.WindowSizeMsg:
		m.Resize(msg.Width, msg.Height)
	case tea.KeyPressMsg:
		return s, s.key(msg.Keystroke(), msg.Text)
	case tea.PasteMsg:
		m.Paste(msg.Content)
	case tea.ResumeMsg:
		return s, s.ask()
	case tick:
		return s, tea.Batch(s.ticked(time.Time(msg)), s.tick())
	case heard:
		return s, s.heard(model.Event(msg))
	case picture:
		s.asking = false
		m.Take(watch.Picture(msg))
	case failure:
		s.asking = false
		m.Fail(msg.at, msg.why)
	}
	return s, nil
}

// View draws the Model.
func (s *state) View() tea.View {
	v := tea.NewView(s.cfg.Model.Frame())
	v.AltScreen = true
	return v
}

func (s *state) key(name, text string) tea.Cmd {
	if len([]rune(text)) == 1 && text != " " {
		name = text // "?" rather than "shift+/"
	}
	switch s.cfg.Model.Key(name, text) {
	case watch.Quit:
		return tea.Quit
	case watch.Suspend:
		return tea.Suspend
	case watch.Ask:
		return s.ask()
	}
	return nil
}

// tick comes each second, and more often where pictures do.
func (s *state) tick() tea.Cmd {
	return tea.Tick(min(s.cfg.Interval, time.Second), func(time.Time) tea.Msg { return tick(s.cfg.Now()) })
}

func (s *state) ticked(now time.Time) tea.Cmd {
	s.cfg.Model.Tick(now)
	const early = 50 * time.Millisecond // ticks are not exact
	if now.Before(s.due.Add(-early)) || s.cfg.Model.Paused() {
		return nil
	}
	return s.ask()
}

// heard brings a picture soon, so that what is new shows at once.
func (s *state) heard(e model.Event) tea.Cmd {
	s.cfg.Model.Heard(e)
	next := s.asked.Add(soon)
	switch {
	case s.cfg.Model.Paused():
		return nil
	case s.asking || s.cfg.Now().Before(next):
		if next.Before(s.due) {
			s.due = next
		}
		return nil
	}
	return s.ask()
}

// ask asks for a picture unless that is being done.
func (s *state) ask() tea.Cmd {
	if s.asking {
		return nil
	}
	s.asking, s.asked = true, s.cfg.Now()
	s.due = s.asked.Add(s.cfg.Interval)
	want := s.cfg.Model.Wants()
	return func() tea.Msg {
		ctx, cancel := context.WithTimeout(s.ctx, answerTimeout)
		defer cancel()
		p, err := s.cfg.Ask(ctx, want)
		if err != nil {
			return failure{s.cfg.Now(), err.Error()}
		}
		return picture(p)
	}
}
