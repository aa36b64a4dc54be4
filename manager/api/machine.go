package api

import (
	"cmp"
	"fmt"
	"net/http"
	"net/netip"

	"cassini/manager/enroll"
	"cassini/manager/speakers"
	"cassini/model"
)

// machineBody says what machine an agent runs on. Host is the name by which it goes, where no
// certificate says it. With a request, and the certificate of the machine that has the name, it
// wants a name of its own if it is another one.
type machineBody struct {
	Host    string        `json:"host,omitempty"`
	Machine model.Machine `json:"machine"`
	Request string        `json:"request,omitempty"`
}

// whoAsks is who was found to ask; nobody where nothing is asked.
func whoAsks(r *http.Request) enroll.Who {
	who, _ := r.Context().Value(whoKey{}).(enroll.Who)
	return who
}

// speaks lets an agent go on that speaks for its machine's name, and answers it otherwise. One
// that does not say what machine it is, an older one, is taken at its word.
func (s *server) speaks(w http.ResponseWriter, r *http.Request, host string) bool {
	mark := r.Header.Get(model.MarkHeader)
	if mark == "" {
		return true
	}
	answer, err := s.Backend.Speaks(r.Context(), host, mark)
	return s.settled(w, r, host, model.Machine{}, answer, err)
}

// introduced is speaks for a machine that says what it is.
func (s *server) introduced(w http.ResponseWriter, r *http.Request, host string, machine model.Machine) bool {
	answer, err := s.introduce(r, host, machine)
	return s.settled(w, r, host, machine, answer, err)
}

func (s *server) introduce(r *http.Request, host string, machine model.Machine) (speakers.Answer, error) {
	return s.Backend.Introduce(r.Context(), host, machine, from(r))
}

// from is the address of who asks.
func from(r *http.Request) netip.Addr {
	at, _ := netip.ParseAddrPort(r.RemoteAddr) // none in tests
	return at.Addr().Unmap()
}

// notYours says who has a name.
const notYours = "another machine is %s: this one runs with a copy of its data directory, or of its certificate. 'cassini identity' shows both. " +
	"It needs a name of its own: its agent asks for one when it is started again"

// notYoursOutside says it where another authority gives names.
const notYoursOutside = "another machine is %s: this one runs with a copy of its certificate, and waits. " +
	"Another authority gave that: give this machine a certificate of its own there, with a name of its own"

// settled answers whoever may not speak for a name, or not yet. What machine it is may not be known.
func (s *server) settled(w http.ResponseWriter, r *http.Request, host string, machine model.Machine, answer speakers.Answer, err error) bool {
	switch {
	case err != nil:
		w.Header().Set("Retry-After", retryAfter)
		problem(w, r, http.StatusServiceUnavailable, err.Error())
	case answer == speakers.Itself:
		return true
	case answer == speakers.Unknown:
		problem(w, r, http.StatusPreconditionRequired, "say what machine this is (POST "+pathMachine+"): it is not the boot of "+host+" that was heard before")
	case answer == speakers.Later:
		w.Header().Set("Retry-After", retryAfter)
		problem(w, r, http.StatusServiceUnavailable, "whether this is "+host+" after it was booted, or another machine with a copy of its data directory, shows in a moment: nothing is lost; come again")
	default:
		s.Deliveries.refused(model.RefusedMachine)
		why := notYours
		if whoAsks(r).Outside {
			why = notYoursOutside
			s.Backend.Refuse(host, cmp.Or(machine.Mark(), r.Header.Get(model.MarkHeader)), machine, from(r))
		}
		s.refuse(w, r, http.StatusConflict, s.speaker(r), fmt.Sprintf(why, host))
	}
	return false
}

func (s *server) postMachine(w http.ResponseWriter, r *http.Request, _ params) {
	body, ok := jsonBody[machineBody](w, r, maxEnroll)
	if !ok {
		return
	}
	if who := whoAsks(r); who.Role == enroll.RoleAgent {
		body.Host = who.Host
	}
	noted(r).target = body.Host
	if err := enroll.CheckMachine(&body.Machine); err != nil || body.Host == "" {
		problem(w, r, http.StatusBadRequest, "want a host, and what machine it is: "+errText(err))
		return
	}
	if body.Request == "" || s.Enroll == nil {
		if s.introduced(w, r, body.Host, body.Machine) {
			s.answer(w, r, enroll.Joined{Host: body.Host})
		}
		return
	}
	switch answer, err := s.introduce(r, body.Host, body.Machine); {
	case err == nil && answer == speakers.Itself:
		s.answer(w, r, enroll.Joined{Host: body.Host})
	case err != nil || answer != speakers.Another || whoAsks(r).Outside:
		s.settled(w, r, body.Host, body.Machine, answer, err)
	default:
		s.nameCopy(w, r, body)
	}
}

// nameCopy gives another machine a name of its own.
func (s *server) nameCopy(w http.ResponseWriter, r *http.Request, body machineBody) {
	n := noted(r)
	n.keep, n.detail = true, "a copy of the data directory of "+body.Host
	joined, err := s.Enroll.Copy(r.TLS.PeerCertificates[0], enroll.JoinRequest{Request: body.Request, Machine: &body.Machine, Keeps: r.Header.Get(keepsHeader) != ""}, s.Now())
	if err == nil {
		n.target = joined.Host
	}
	s.enrolled(w, r, joined, err)
}

func errText(err error) string {
	if err == nil {
		return "the host is missing"
	}
	return err.Error()
}
