/** Which feature of the catalogue (`features.json`) each knob's agents stand for: its code. */
export const FEATURE_OF = Object.freeze({
  tilt: '28.662 retTilt',
  power: '28.541 configuredMaxTxPower',
  offset: '38.331 cellIndividualOffset',
  hysteresis: '38.331 hysteresis',
  timeToTrigger: '38.331 timeToTrigger',
  p0: '38.331 p0-NominalWithGrant',
  alpha: '38.331 P0-PUSCH-AlphaSet.alpha',
  sliceShare: '28.541 rRMPolicyDedicatedRatio',
  sleepThreshold: '28.541 esActivationOriginalCellLoadParameters',
  admissionThreshold: '38.300 Radio admission control',
  wakeThreshold: '28.541 esDeactivationCandidateCellsLoadParameters',
  a3Offset: '38.331 a3-Offset',
  filterCoefficient: '38.331 filterCoefficient',
  t310: '38.331 t310',
  fairness: '38.300 Packet scheduling',
});
