/**
 * Which words mean the same, for search: general English, and the jargon of radio networks. A line's first word is what the others
 * count as; a line that begins with '-' lists words that do not count. Words are compared by their stems, so one form of each is enough.
 * A catalogue of another trade can bring its own table (`load(features, { words })`).
 */
export const WORDS = `
- a about after all also am an and any are as at be because been being but by can could did do does doing done during each even ever
- for from get gets given go goes going got had has have having he her his how i if in into is it its just let like
- made make making may me might more much must my no nor not of often on only or our own per please
- put really see seem shall she should so some somehow something such take than that the their them then there these they this
- those though to too try upon us use used using very want was way we were what when where whether which while who whom whose why
- will with would yet you your
phone ue handset smartphone terminal handy cellphone
user subscriber customer people person
handover ho handoff
station gnb enb nodeb ng-enb bts
lte 4g eutra e-utra eutran
nr 5g
utra 3g umts wcdma
geran 2g gsm
uplink ul upload
downlink dl download
delay latency lag
throughput speed
overload congestion congested
interference disturb disturbance
voice speech telephony
energy electricity
neighbour neighbor adjacent
encryption cipher encipher ciphering
synchronisation sync synchronise synchronize synchronization synchronous
gnss gps
wlan wifi
millimetre mmwave millimeter fr2
random prach rach
car vehicle automobile
train railway rail
collision collide clash
asleep sleep
lose loss lost
fibre fiber
optimisation optimise optimize optimization
utilisation utilise utilize utilization
centre center
identity identifier id
quick fast rapid
begin start
small little tiny
rate bitrate
bandwidth width
crowd crowded stadium concert
police firefighter rescue
message sms
sim usim
price tariff
`;
