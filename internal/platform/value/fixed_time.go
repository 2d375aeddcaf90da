package value

// Positions in a timestamp such as 2024-01-02T03:04:05.000006Z.
const (
	atHour   = 11
	afterDay = 10
	// secondsEnd is the length without a fraction and a zone.
	secondsEnd = 19
	// maxFraction is the number of digits of nanoseconds.
	maxFraction = 9
)

// ParseFixedTime reads a date, or a timestamp in UTC, in the forms that a warehouse
// writes: 2024-01-02, 2024-01-02T03:04:05Z, with a space for the T, with a fraction of up
// to nine digits, and without the Z. The result is in microseconds since 1970. ok is false
// for every other text; ParseTime reads more forms, and reads these as the same instant.
func ParseFixedTime(s string) (micros int64, ok bool) {
	if len(s) < afterDay || s[4] != '-' || s[7] != '-' {
		return 0, false
	}
	century, ok1 := twoDigits(s, 0)
	years, ok2 := twoDigits(s, 2)
	month, ok3 := twoDigits(s, 5)
	day, ok4 := twoDigits(s, 8)
	year := 100*century + years
	if !ok1 || !ok2 || !ok3 || !ok4 || year == 0 || month < 1 || month > 12 || day < 1 || day > daysIn(year, month) {
		return 0, false
	}
	seconds := 86400 * daysSince1970(year, month, day)
	if len(s) == afterDay {
		return seconds * 1e6, true
	}
	if len(s) < secondsEnd || s[10] != 'T' && s[10] != ' ' || s[13] != ':' || s[16] != ':' {
		return 0, false
	}
	hour, ok1 := twoDigits(s, atHour)
	minute, ok2 := twoDigits(s, 14)
	second, ok3 := twoDigits(s, 17)
	fraction, ok4 := microsOf(s[secondsEnd:])
	if !ok1 || !ok2 || !ok3 || !ok4 || hour > 23 || minute > 59 || second > 59 {
		return 0, false
	}
	return (seconds+3600*hour+60*minute+second)*1e6 + fraction, true
}

func twoDigits(s string, at int) (n int64, ok bool) {
	tens, ones := s[at]-'0', s[at+1]-'0'
	return 10*int64(tens) + int64(ones), tens <= 9 && ones <= 9
}

// microsOf reads a fraction of a second, which may be absent, and an optional Z. Digits
// below a microsecond are dropped.
func microsOf(s string) (micros int64, ok bool) {
	if len(s) > 0 && s[len(s)-1] == 'Z' {
		s = s[:len(s)-1]
	}
	if s == "" {
		return 0, true
	}
	if s[0] != '.' || len(s) == 1 || len(s) > 1+maxFraction {
		return 0, false
	}
	for i := 1; i <= 6; i++ {
		micros *= 10
		if i < len(s) {
			if !isDigit(s[i]) {
				return 0, false
			}
			micros += int64(s[i] - '0')
		}
	}
	for i := 7; i < len(s); i++ {
		if !isDigit(s[i]) {
			return 0, false
		}
	}
	return micros, true
}

func daysIn(year, month int64) int64 {
	if month == 2 && year%4 == 0 && (year%100 != 0 || year%400 == 0) {
		return 29
	}
	return [...]int64{31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31}[month-1]
}

// daysSince1970 counts the days of the Gregorian calendar, in years that begin in March.
func daysSince1970(year, month, day int64) int64 {
	if month <= 2 {
		year--
		month += 12
	}
	// 719,468 days before 1970 is the first of March of the year 0.
	return 365*year + year/4 - year/100 + year/400 + (153*(month-3)+2)/5 + day - 1 - 719_468
}
